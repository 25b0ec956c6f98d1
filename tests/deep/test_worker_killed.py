"""A worker that is killed: no message is sent twice, none is lost, at most one per kill is uncertain."""

import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from celery import Celery
from django.conf import settings
from django.utils import timezone

from communications.models import CommunicationLog, PendingDispatch
from communications.outbox import outbox
from communications.sending import dispatch, leases
from tests import factories
from tests.deep import processes
from tests.standins import smtp

pytestmark = pytest.mark.django_db(transaction=True)

DELAY = 0.02
PROCESSES = 2
#: So many of a worker's processes send at once; each has one message at a time in its hands.
SENDING = 1


class Worker:
    """A Celery worker in a process group of its own, on this test's database and broker."""

    def __init__(self, environment):
        self.environment = environment
        self.process = None

    def start(self):
        options = (
            f"-A ddc worker -Q ddc,fast -c {PROCESSES} -l ERROR --without-mingle --without-gossip --without-heartbeat"
        )
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = processes.start(
            "-m", "celery", *options.split(), env=self.environment, start_new_session=True, **quiet
        )

    def kill(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Outbox:
    """An SMTP server in its own process, a worker that sends to it, and a broker to tick with."""

    def __init__(self, tmp_path, stack):
        self.log = tmp_path / "mails"
        self.log.touch()
        port = str(smtp.free_port())
        server = processes.start("-m", "tests.standins.smtp", port, "--delay", str(DELAY), "--log", str(self.log))
        stack.callback(server.wait)
        stack.callback(server.kill)
        self.app = Celery(broker=settings.REDIS_URL)
        self.app.conf.task_default_queue = "ddc"
        stack.callback(self.app.close)
        self.app.control.purge()
        self.worker = Worker(
            processes.environment(
                EMAIL_URL=f"smtp://127.0.0.1:{port}", CONTACT_WINDOW="00:00-23:59", OUTBOX_DRAINS=str(SENDING)
            )
        )
        stack.callback(self.worker.kill)

    def seen(self):
        return Counter(self.log.read_text().split())

    def tick(self):
        """What beat does."""
        self.app.send_task("communications.tasks.drain_outbox", expires=5, ignore_result=True)

    def wait(self, until, seconds=30):
        """Tick until it is so."""
        ends, next_tick = time.monotonic() + seconds, 0.0
        while not until():
            assert time.monotonic() < ends, f"{sum(self.seen().values())} mails after {seconds} s"
            if time.monotonic() >= next_tick:
                self.tick()
                next_tick = time.monotonic() + 1
            time.sleep(0.01)


def queue(messages):
    template, debt = factories.template(body="You owe {{debt_amount}}"), factories.debt()
    for _ in range(messages):
        outbox.queue(debtor=debt.debtor, debt=debt, channel="email", template=template, now=timezone.now())


def drain_with_kills(tmp_path, *, messages, kills):
    """Queue, kill the worker again and again while it sends, and let a last one finish."""
    with ExitStack() as stack:
        box = Outbox(tmp_path, stack)
        queue(messages)
        for kill in range(1, kills + 1):
            box.worker.start()
            goal = messages * kill // (kills + 1)
            box.wait(lambda goal=goal: sum(box.seen().values()) >= goal, seconds=60)
            box.worker.kill()
            pending = PendingDispatch.objects.values("message_id")
            uncertain = CommunicationLog.objects.filter(status="sending").exclude(pk__in=pending).count()
            assert uncertain <= kill * SENDING, f"{uncertain} uncertain after {kill} kills"
            # What the dead one had claimed is due again when its lease is over; the test doesn't wait for that.
            CommunicationLog.objects.filter(status="claimed").update(due_at=timezone.now())
            leases.requeue(pending.values_list("message_id", flat=True), now=timezone.now())
        box.worker.start()
        open_ones = CommunicationLog.objects.filter(status__in=("queued", "postponed", "claimed"))
        box.wait(lambda: not open_ones.exists() and not PendingDispatch.objects.exists(), seconds=120)
        time.sleep(0.2)  # The last hand-over ends.
        box.worker.kill()
        leases.expire(now=timezone.now() + dispatch.SENDING_LEASE)
        return box.seen(), Counter(CommunicationLog.objects.values_list("status", flat=True))


def hold(seen, statuses, *, messages, kills):
    assert set(seen.values()) == {1}, "a mail went twice"
    assert statuses["sent"] + statuses["uncertain"] == messages
    assert statuses["uncertain"] <= kills * SENDING
    went = {f"<{pk}@localhost>" for pk in CommunicationLog.objects.filter(status="sent").values_list("pk", flat=True)}
    assert went <= set(seen), "a mail is said to be sent and was not"


def test_a_worker_that_is_killed_twice_sends_nothing_twice(tmp_path):
    seen, statuses = drain_with_kills(tmp_path, messages=100, kills=2)

    hold(seen, statuses, messages=100, kills=2)


@pytest.mark.deep
def test_a_worker_that_is_killed_six_times_sends_2000_messages_once(tmp_path):
    seen, statuses = drain_with_kills(tmp_path, messages=2_000, kills=6)

    hold(seen, statuses, messages=2_000, kills=6)
