"""Messages on their way while processes are killed: what became of each, and whether any went twice. Django is set up by then."""

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
from communications.models import DUE_STATUSES, Circuit, CommunicationLog, MessageStatus, ProviderEvent, Unbegun
from communications.sending import dispatch, outcomes, worker
from ddc.stack import account, health, process, web
from ddc.stack.valkey import Valkey
from tests.chaos.standin import HANG_SECONDS
from tests.standins import mailgun
from tests.standins.twilio import ACCOUNT, NUMBER, TOKEN

WORKERS = 2
_OPEN = ("queued", "postponed", "claimed", "sending")
_WENT = ("sent", "delivered")
#: When this part of the messages is through, the killing ends, and what is left gets done.
_CALM_AFTER = 0.95
_QUEUE = """
WITH debtors AS (
    INSERT INTO debtor (email, first_name, last_name, mobile_phone, country_code)
    SELECT 'debtor.' || n || '@example.com', 'Jo', 'Doe', '+4474' || lpad(n::text, 8, '0'), 'GB'
    FROM generate_series(1, %(count)s) AS n
    RETURNING id, ltrim(substr(mobile_phone, 6), '0')::int AS number
)
INSERT INTO communication_log (debtor_id, communication_type, purpose, status, due_at, subject, body)
SELECT id, CASE number %% 2 WHEN 0 THEN 'email' ELSE 'sms' END, 'solicited', 'queued', %(now)s, 'Hello', 'Message no. ' || number
FROM debtors
"""


@dataclass
class Told:
    """What the run came to."""

    messages: int
    statuses: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    twice: list[str] = field(default_factory=list)
    in_doubt: int = 0
    settled: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    seconds: float = 0

    @property
    def wrong(self) -> list[str]:
        """What must not be."""
        found = [f"{each} went twice" for each in self.twice]
        if still := sum(self.statuses[status] for status in _OPEN):
            found.append(f"{still} messages are in no final state")
        if sum(self.statuses.values()) != self.messages:
            found.append(f"there are {sum(self.statuses.values())} messages")
        if self.statuses["uncertain"] > self.killed.total():
            found.append(f"{self.statuses['uncertain']} messages are uncertain, more than processes were killed")
        if self.unheard:
            found.append(f"{self.unheard} messages are said to be sent, and no stand-in took them")
        return found

    def __str__(self) -> str:
        rows = [
            *((f"messages that ended {status}", number) for status, number in sorted(self.statuses.items())),
            *((f"killed: {name}", number) for name, number in sorted(self.killed.items())),
            ("taken by the stand-ins", self.taken),
            ("that were in doubt at some time", self.in_doubt),
            ("of these settled by a callback", self.settled - self.asked["sent"]),
            ("of these gone, as Twilio says when asked", self.asked["sent"]),
            ("of these never taken, as Twilio says when asked", self.asked["failed"]),
            ("taken twice", len(self.twice)),
            ("seconds", round(self.seconds)),
        ]
        return "\n".join(["| | |", "| --- | ---: |", *(f"| {name} | {number:,} |" for name, number in rows)])


class Chaos:
    """Two workers, a mail server, Twilio and a broker, of which one is killed every so often, and a site to call back."""

    def __init__(
        self,
        place: Path,
        env: dict[str, str],
        *,
        seed: int,
        kill_every: float,
        most_kills: int = 1_000,
        rate: float = 1_000,
    ) -> None:
        """Set up. ``rate`` is how many messages a second each provider takes at the most; ``kill_every`` is in seconds."""
        self.place, self.seed, self.kill_every, self.most_kills = place, seed, kill_every, most_kills
        self.rate = rate
        runner = account.for_servers()
        (place / "valkey").mkdir(mode=0o711)
        account.chown(place / "valkey", runner)
        self.valkey = Valkey(place / "valkey", account=runner, log=place / "valkey.log")
        self.ports = {kind: process.free_port() for kind in ("smtp", "twilio")}
        self.site = process.free_port()
        self.env = env
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.lives: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()

    def run(self, messages: int, *, progress: Callable[[int], object] = lambda through: None) -> Told:
        """Queue so many messages, and see them through."""
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(_QUEUE, {"count": messages, "now": timezone.now()})
        try:
            self._start()
            self._kill_on_and_on(messages, progress)
            self._finish(messages, progress)
        finally:
            for name in tuple(self.running):
                process.stop(self.running.pop(name), by=signal.SIGKILL)
        return self._told(messages, time.monotonic() - began)

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
        words = (kind, str(self.ports[kind]), f"{self.seed}/{kind}/{self.lives[kind]}", str(self.place / kind))
        self._spawn(kind, "-m", "tests.chaos.standin", *words)

    def _start_site(self) -> None:
        """Start what the callbacks come to, and let it come up."""
        self._spawn("site", *web.command(port=self.site, workers=1)[1:])
        ends = time.monotonic() + 60
        while problem := health.problem(self.site, self.env["PUBLIC_URL"]):
            assert time.monotonic() < ends, problem
            time.sleep(0.1)

    def _start_workers(self) -> None:
        quiet = ("-l", "ERROR", "--without-mingle", "--without-gossip", "--without-heartbeat")
        self._spawn("worker", "-m", "celery", "-A", "ddc", "worker", "-Q", "ddc,fast", "-c", str(WORKERS), *quiet)

    def _spawn(self, name: str, *command: str) -> None:
        place = self.place / f"{name}.log"
        self.running[name] = process.spawn([sys.executable, *command], env=self.env, cwd=Path.cwd(), log=place)

    def _kill_on_and_on(self, messages: int, progress: Callable[[int], object]) -> None:
        victims, valkey_at = itertools.cycle(("worker", "worker", "smtp", "worker", "worker", "twilio")), messages // 3
        due = time.monotonic() + self.kill_every
        while (through := self._through(progress)) < messages * _CALM_AFTER and self.killed.total() < self.most_kills:
            self._tick()
            if self.killed.total() and through >= valkey_at and not self.killed["valkey"]:
                self._kill("valkey")
            if through and time.monotonic() >= due:
                self._kill(next(victims))
                due = time.monotonic() + self.kill_every

    def _kill(self, victim: str) -> None:
        if victim == "worker":
            for pid in itertools.islice(_children(self.running["worker"].pid), 1):
                os.kill(pid, signal.SIGKILL)  # Celery starts another in its place.
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
        """Kill all that send, take their leases and all pauses for over, and have those in their place see the rest through."""
        for pid in tuple(_children(self.running["worker"].pid)):
            os.kill(pid, signal.SIGKILL)
            self.killed["worker"] += 1
        over, ends = timezone.now(), time.monotonic() + 300
        while self._through(progress) < messages and time.monotonic() < ends:
            self._end_leases(over)
            self._tick()
        process.stop(self.running.pop("worker"), grace=30)
        outcomes.settle_stuck(now=timezone.now() + 2 * dispatch.SENDING_LEASE)
        time.sleep(2 * HANG_SECONDS)  # The last callbacks are on their way.
        ProviderEvent.objects.filter(processed_at__isnull=True).update(due_at=timezone.now())
        inbox.process(clock=timezone.now, time_budget=None)
        self._ask_about_the_rest()

    def _ask_about_the_rest(self) -> None:
        """Have Twilio asked about the messages of which it didn't tell, as is done some minutes later."""
        names = ("SMS_BACKEND", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER", "TWILIO_API_URL")
        at = timezone.now() + polling.WAIT_FOR_CALLBACK
        with override_settings(**{name: self.env[name] for name in names}):
            while (found := polling.poll(now=at)).total() > found["uncertain"]:
                self.asked += found

    def _end_leases(self, over: datetime) -> None:
        """Take what was in hand at a moment for left behind; a last word of the killed may reach PostgreSQL after it."""
        outcomes.settle_stuck(now=over + dispatch.SENDING_LEASE)
        claimed = CommunicationLog.objects.filter(status__in=DUE_STATUSES, due_at__lte=over + worker.CLAIM_LEASE)
        claimed.filter(due_at__gt=over).update(due_at=over)
        Circuit.objects.all().delete()

    def _tick(self) -> None:
        """Do what beat does, and let no pause before another try be long."""
        with contextlib.suppress(OperationalError):
            for name in (*WORKERS * ("drain_outbox",), "work_inbox"):
                self.celery.send_task(f"communications.tasks.{name}", expires=5, ignore_result=True, retry=False)
        CommunicationLog.objects.filter(status=MessageStatus.QUEUED, attempts__gt=0).update(due_at=F("updated_at"))
        time.sleep(0.5)

    def _through(self, progress: Callable[[int], object]) -> int:
        close_old_connections()
        through = CommunicationLog.objects.exclude(status__in=_OPEN).count()
        progress(through)
        return through

    def _told(self, messages: int, seconds: float) -> Told:
        took = [line.split() for kind in self.ports for line in (self.place / kind).read_text().splitlines()]
        twice = [each for at in (0, 1) for each, times in Counter(words[at] for words in took).items() if times > 1]
        doubted = CommunicationLog.objects.filter(attempt_rows__result="uncertain").distinct()
        went = {str(pk) for pk in CommunicationLog.objects.filter(status__in=_WENT).values_list("pk", flat=True)}
        assert not Unbegun.objects.exists(), "marks are left over"
        return Told(
            messages,
            statuses=Counter(CommunicationLog.objects.values_list("status", flat=True)),
            killed=self.killed,
            taken=len(took),
            twice=twice,
            in_doubt=doubted.count(),
            settled=doubted.filter(status__in=_WENT).count(),
            unheard=len(went - {message for message, *_ in took}),
            asked=self.asked,
            seconds=seconds,
        )


def _children(pid: int) -> Iterator[int]:
    """Name the processes that a process has forked, which the kernel lists."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return map(int, listed.read_text().split()) if listed.exists() else iter(())
