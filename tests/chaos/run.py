"""Send messages while processes are killed, and count the final states and duplicates. Django must be set up."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from celery import Celery
from django.db import close_old_connections, connection
from django.db.models import F
from django.test import override_settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from communications.callbacks import inbox, polling
from communications.models import DUE_STATUSES, Circuit, CommunicationLog, MessageStatus, PendingDispatch, ProviderEvent
from communications.sending import dispatch, leases, worker
from ddc.stack import account, health, process, web
from ddc.stack.valkey import Valkey
from tests.chaos.standin import HANG_SECONDS
from tests.standins import mailgun
from tests.standins.twilio import ACCOUNT, NUMBER, TOKEN

WORKERS = 2
_OPEN = ("queued", "postponed", "claimed", "sending")
_WENT = ("sent", "delivered")
#: The killing ends when this share of the messages has a final state; then the rest is sent.
_KILL_UNTIL = 0.95
_QUEUE = """
WITH debtors AS (
    INSERT INTO debtor (email, normal_email, first_name, last_name, mobile_phone, normal_phone, country_code)
    SELECT email, email, 'Jo', 'Doe', phone, phone, 'GB' FROM generate_series(1, %(count)s) AS n CROSS JOIN LATERAL (
        SELECT 'debtor.' || n || '@example.com' AS email, '+4474' || lpad(n::text, 8, '0') AS phone
    ) AS addresses
    RETURNING id, ltrim(substr(mobile_phone, 6), '0')::int AS number
)
INSERT INTO communication_log (debtor_id, communication_type, purpose, status, due_at, subject, body)
SELECT id, CASE number %% 2 WHEN 0 THEN 'email' ELSE 'sms' END, 'code', 'queued', %(now)s, 'Hello', 'Message no. ' || number
FROM debtors
"""


@dataclass
class Result:
    """The result of a run."""

    messages: int
    statuses: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    twice: list[str] = field(default_factory=list)
    uncertain: int = 0
    resolved: int = 0
    polled: Counter[str] = field(default_factory=Counter)
    unaccepted: int = 0
    seconds: float = 0

    @property
    def wrong(self) -> list[str]:
        """The violations: duplicates, lost messages and missing final states."""
        found = [f"{each} was accepted twice" for each in self.twice]
        if still := sum(self.statuses[status] for status in _OPEN):
            found.append(f"{still} messages are in no final state")
        if sum(self.statuses.values()) != self.messages:
            found.append(f"there are {sum(self.statuses.values())} messages instead of {self.messages}")
        if self.statuses["uncertain"] > self.killed.total():
            found.append(f"{self.statuses['uncertain']} messages are uncertain, more than processes were killed")
        if self.unaccepted:
            found.append(f"{self.unaccepted} messages have the status sent, but no stand-in accepted them")
        return found

    def __str__(self) -> str:
        rows = [
            *((f"messages that ended {status}", number) for status, number in sorted(self.statuses.items())),
            *((f"killed: {name}", number) for name, number in sorted(self.killed.items())),
            ("accepted by the stand-ins", self.accepted),
            ("uncertain at some time", self.uncertain),
            ("of these resolved by a callback", self.resolved - self.polled["sent"]),
            ("of these sent, according to a poll of Twilio", self.polled["sent"]),
            ("of these never accepted, according to a poll of Twilio", self.polled["failed"]),
            ("accepted twice", len(self.twice)),
            ("seconds", round(self.seconds)),
        ]
        return "\n".join(["| | |", "| --- | ---: |", *(f"| {name} | {number:,} |" for name, number in rows)])


class Chaos:
    """Two workers, a mail server, Twilio and a broker, one of which is killed from time to time, and a site for callbacks."""

    def __init__(
        self,
        folder: Path,
        env: dict[str, str],
        *,
        seed: int,
        kill_every: float,
        most_kills: int = 1_000,
        rate: float = 1_000,
    ) -> None:
        """Set up. ``rate`` is the limit of messages per second and provider; ``kill_every`` is in seconds."""
        self.folder, self.seed, self.kill_every, self.most_kills = folder, seed, kill_every, most_kills
        self.rate = rate
        runner = account.for_servers()
        (folder / "valkey").mkdir(mode=0o711)
        account.chown(folder / "valkey", runner)
        self.valkey = Valkey(folder / "valkey", account=runner, log=folder / "valkey.log")
        self.ports = {kind: process.free_port() for kind in ("smtp", "twilio")}
        self.site = process.free_port()
        self.env = env
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.lives: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        self.polled: Counter[str] = Counter()

    def run(self, messages: int, *, progress: Callable[[int], object] = lambda through: None) -> Result:
        """Queue the messages and send them all."""
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(_QUEUE, {"count": messages, "now": timezone.now()})
        try:
            self._start()
            self._kill_repeatedly(messages, progress)
            self._finish(messages, progress)
        finally:
            for name in tuple(self.running):
                process.stop(self.running.pop(name), by=signal.SIGKILL)
        return self._result(messages, time.monotonic() - began)

    def _start(self) -> None:
        self.running["valkey"] = self.valkey.start()
        self.env |= {
            "REDIS_URL": self.valkey.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.ports['smtp']}",
            "SMS_BACKEND": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": NUMBER,
            "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY": mailgun.KEY,
            "PUBLIC_URL": f"http://127.0.0.1:{self.site}",
            "TWILIO_API_URL": f"http://127.0.0.1:{self.ports['twilio']}",
            "OUTBOX_DRAINS": str(WORKERS),
            "EMAIL_RATE": str(self.rate),
            "SMS_RATE": str(self.rate),
        }
        for kind in self.ports:
            self._start_standin(kind)
        self._start_site()
        self._start_workers()
        self.celery = Celery(broker=self.valkey.url)
        self.celery.conf.update(task_default_queue="ddc", broker_transport_options={"socket_timeout": 1})

    def _start_standin(self, kind: str) -> None:
        self.lives[kind] += 1
        arguments = (kind, str(self.ports[kind]), f"{self.seed}/{kind}/{self.lives[kind]}", str(self.folder / kind))
        self._spawn(kind, "-m", "tests.chaos.standin", *arguments)

    def _start_site(self) -> None:
        """Start the site for callbacks and wait until it is healthy."""
        self._spawn("site", *web.command(port=self.site, workers=1)[1:])
        ends = time.monotonic() + 60
        while problem := health.problem(self.site, self.env["PUBLIC_URL"]):
            assert time.monotonic() < ends, problem
            time.sleep(0.1)

    def _start_workers(self) -> None:
        quiet = ("-l", "ERROR", "--without-mingle", "--without-gossip", "--without-heartbeat")
        self._spawn("worker", "-m", "celery", "-A", "ddc", "worker", "-Q", "ddc,fast", "-c", str(WORKERS), *quiet)

    def _spawn(self, name: str, *command: str) -> None:
        log = self.folder / f"{name}.log"
        self.running[name] = process.spawn([sys.executable, *command], env=self.env, cwd=Path.cwd(), log=log)

    def _kill_repeatedly(self, messages: int, progress: Callable[[int], object]) -> None:
        victims, valkey_at = itertools.cycle(("worker", "worker", "smtp", "worker", "worker", "twilio")), messages // 3
        due = time.monotonic() + self.kill_every
        while (through := self._through(progress)) < messages * _KILL_UNTIL and self.killed.total() < self.most_kills:
            self._tick()
            if self.killed.total() and through >= valkey_at and not self.killed["valkey"]:
                self._kill("valkey")
            if through and time.monotonic() >= due:
                self._kill(next(victims))
                due = time.monotonic() + self.kill_every

    def _kill(self, victim: str) -> None:
        if victim == "worker":
            for pid in itertools.islice(_children(self.running["worker"].pid), 1):
                os.kill(pid, signal.SIGKILL)  # Celery starts another one.
                self.killed[victim] += 1
            return
        self.killed[victim] += 1
        self.running[victim].kill()
        self.running[victim].wait()
        if victim == "valkey":
            self.running[victim] = self.valkey.start()
        else:
            self._start_standin(victim)

    def _finish(self, messages: int, progress: Callable[[int], object]) -> None:
        """Kill all senders, expire their leases and all pauses, and let their successors send the rest."""
        for pid in tuple(_children(self.running["worker"].pid)):
            os.kill(pid, signal.SIGKILL)
            self.killed["worker"] += 1
        over, ends = timezone.now(), time.monotonic() + 300
        while self._through(progress) < messages and time.monotonic() < ends:
            self._end_leases(over)
            self._tick()
        process.stop(self.running.pop("worker"), grace=30)
        leases.expire(now=timezone.now() + 2 * dispatch.SENDING_LEASE)
        time.sleep(2 * HANG_SECONDS)  # The last callbacks are on their way.
        ProviderEvent.objects.filter(processed_at__isnull=True).update(due_at=timezone.now())
        inbox.process(clock=timezone.now, time_budget=None)
        self._poll_the_rest()

    def _poll_the_rest(self) -> None:
        """Poll Twilio for the messages without a callback, as happens some minutes later in production."""
        names = ("SMS_BACKEND", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER", "TWILIO_API_URL")
        at = timezone.now() + polling.WAIT_FOR_CALLBACK
        with override_settings(**{name: self.env[name] for name in names}):
            while (found := polling.poll(now=at)).total() > found["uncertain"]:
                self.polled += found

    def _end_leases(self, over: datetime) -> None:
        """Expire the leases of that moment; a last statement of a killed process may reach PostgreSQL after it."""
        leases.expire(now=over + dispatch.SENDING_LEASE)
        claimed = CommunicationLog.objects.filter(status__in=DUE_STATUSES, due_at__lte=over + worker.CLAIM_LEASE)
        claimed.filter(due_at__gt=over).update(due_at=over)
        Circuit.objects.all().delete()

    def _tick(self) -> None:
        """Send the tasks of beat, and shorten every pause before a retry."""
        with contextlib.suppress(OperationalError):
            for name in (*WORKERS * ("drain_outbox",), "process_inbox"):
                self.celery.send_task(f"communications.tasks.{name}", expires=5, ignore_result=True, retry=False)
        CommunicationLog.objects.filter(status=MessageStatus.QUEUED, attempts__gt=0).update(due_at=F("updated_at"))
        time.sleep(0.5)

    def _through(self, progress: Callable[[int], object]) -> int:
        close_old_connections()
        through = CommunicationLog.objects.exclude(status__in=_OPEN).count()
        progress(through)
        return through

    def _result(self, messages: int, seconds: float) -> Result:
        accepted = [line.split() for kind in self.ports for line in (self.folder / kind).read_text().splitlines()]
        twice = [each for at in (0, 1) for each, times in Counter(words[at] for words in accepted).items() if times > 1]
        uncertain = CommunicationLog.objects.filter(attempt_rows__result="uncertain").distinct()
        went = {str(pk) for pk in CommunicationLog.objects.filter(status__in=_WENT).values_list("pk", flat=True)}
        assert not PendingDispatch.objects.exists(), "rows of pending_dispatch are left"
        return Result(
            messages,
            statuses=Counter(CommunicationLog.objects.values_list("status", flat=True)),
            killed=self.killed,
            accepted=len(accepted),
            twice=twice,
            uncertain=uncertain.count(),
            resolved=uncertain.filter(status__in=_WENT).count(),
            unaccepted=len(went - {message for message, *_ in accepted}),
            polled=self.polled,
            seconds=seconds,
        )


def _children(pid: int) -> Iterator[int]:
    """Return the child processes of a process, from the kernel's list."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return map(int, listed.read_text().split()) if listed.exists() else iter(())
