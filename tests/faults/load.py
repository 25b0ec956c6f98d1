"""Sixteen clients that pay, read pages and request codes, and record the answers."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

CLIENTS = 16
_TIMEOUT = 30.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    began: float
    kind: str
    status: int | str  # or the name of an exception
    seconds: float

    @property
    def ended(self) -> float:
        return self.began + self.seconds


@dataclass
class Load:
    """Clients that send payments, pages and one-time codes, each on its own connection, and one that reads /health."""

    port: int
    token: str
    debts: list[str]
    phones: list[str]
    answers: list[Answer] = field(default_factory=list)
    paid: set[str] = field(default_factory=set)

    def __enter__(self) -> "Load":
        self._over = threading.Event()
        work = [threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(CLIENTS)]
        self._threads = [*work, threading.Thread(target=self._health, daemon=True)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_TIMEOUT + 5)

    def _client(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)
        while not self._over.is_set():
            count = next(_numbers)
            transaction = f"T{count}"
            if count % 3 == 0:
                self._ask(connection, "page", "GET", "/debts?limit=5")
            elif count % 29 == 0:
                phone = self.phones[count % len(self.phones)]
                self._ask(connection, "code", "POST", "/debtors/auth/request-otp", {"mobilePhone": phone})
            else:
                body = {"debtId": self.debts[number % len(self.debts)], "amount": "0.01", "processorTxnId": transaction}
                if self._ask(connection, "payment", "POST", "/payments", body) == 201:
                    self.paid.add(transaction)
            time.sleep(0.02)

    def _health(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)
            self._ask(connection, "health", "GET", "/health")
            connection.close()
            time.sleep(0.3)

    def _ask(
        self, connection: http.client.HTTPConnection, kind: str, method: str, path: str, body: Any = None
    ) -> int | str:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        began = time.monotonic()
        status: int | str
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
            connection.close()
        self.answers.append(Answer(began, kind, status, time.monotonic() - began))
        return status

    def summary(self, begin: float, end: float) -> str:
        """Summarise the answers to the requests between two times."""
        during = [answer for answer in self.answers if answer.ended >= begin and answer.began <= end]
        asked = [answer for answer in during if answer.kind != "health"]
        health = [answer for answer in during if answer.kind == "health"]
        statuses = Counter(answer.status for answer in asked)
        counts = ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items(), key=str))
        slowest = max((answer.seconds for answer in asked), default=0)
        well = max((answer.seconds for answer in health), default=0)
        states = "/".join(sorted({str(answer.status) for answer in health}))
        return f"{counts}; slowest {slowest:.1f} s; /health {states} within {well:.1f} s"

    def recovered(self, healed: float) -> float:
        """Return the seconds from the repair to the last failure or the first success, whichever is later."""
        later = [
            a for a in self.answers if a.kind in ("payment", "page") and a.began >= healed - 0.5 and a.ended >= healed
        ]
        good = [a.ended for a in later if a.status in (200, 201)]
        bad = [a.ended for a in later if a.status not in (200, 201)]
        if not good:
            return float("inf")
        return max(min(good), *(bad or [0])) - healed

    @property
    def slowest_health(self) -> float:
        return max((answer.seconds for answer in self.answers if answer.kind == "health"), default=0)
