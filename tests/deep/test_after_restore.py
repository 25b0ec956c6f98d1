"""A restore under a running site: what was sent after the dump does not go again, and what was not goes once."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from communications.models import CommunicationLog
from communications.outbox import outbox
from ddc.stack import binaries
from strategy.models import StrategyRule
from tests import factories
from tests.deep import processes
from tests.deep.test_backup import named, second_database  # noqa: F401 - a fixture
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import ACCOUNT, NUMBER, TOKEN, TwilioStandIn

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True)]
#: How many e-mails and text messages wait when the dump is taken.
COUNT = 60
#: So many of each are due before the crash.
DUE = 50
#: So many e-mails are queued by the strategy after the dump.
STRATEGY = 10
#: Due soon, or in a worker's hands.
WAITING = "status IN ('queued', 'postponed', 'claimed', 'sending') AND due_at < now() + interval '1 hour'"


@contextmanager
def site(env: dict[str, str]) -> Iterator[None]:
    """Run workers and beat, as the demo does."""
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    worker = "-m celery -A ddc worker -Q ddc,fast -c 2 -l ERROR --without-mingle --without-gossip"
    beat = "-m celery -A ddc beat -S celery.beat:Scheduler -l ERROR"
    with ExitStack() as stack:
        for arguments in (worker, beat):
            process = processes.start(*arguments.split(), **quiet)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield


def run(env: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = processes.start("manage.py", *arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = done.communicate(timeout=120)[0]
    return done.returncode, output


def queue_all() -> None:
    """Queue e-mails and text messages, some due only after the crash, and a rule that is due for other debts."""
    mail = factories.template(body="You owe {{debt_amount}} for {{days_since_placement}} days.")
    text = factories.template(communication_type="sms", subject=None, body="You owe {{debt_amount}}.")
    now = timezone.now()
    for number in range(COUNT):
        debt = factories.debt(balance=1000 + number)
        for channel, template in (("email", mail), ("sms", text)):
            message = outbox.queue(debtor=debt.debtor, debt=debt, channel=channel, template=template, now=now)
            if number >= DUE:
                CommunicationLog.objects.filter(pk=message.pk).update(due_at=now + timedelta(days=1))
    segment = factories.segment(currency_code="EUR", min_balance=0)
    StrategyRule.objects.create(
        name="after three days", segment=segment, template=mail, channel="email",
        trigger={"type": "TimeTrigger", "days_since_placement": 3},
    )  # fmt: skip
    for _ in range(STRATEGY):
        factories.debt(currency_code="EUR", placement_date=now.date() - timedelta(days=3))


def dump(file: Path) -> datetime:
    taken_at = datetime.now(UTC)
    source = named(str(connection.settings_dict["NAME"]))
    subprocess.run([binaries.postgres() / "pg_dump", "--format=custom", f"--file={file}", source], check=True)
    return taken_at


def restore(file: Path, database: str) -> None:
    options = ["--exit-on-error", "--no-owner", f"--dbname={database}", str(file)]
    subprocess.run([binaries.postgres() / "pg_restore", *options], check=True)


def wait_until(is_so, seconds: float = 90) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.2)


def received(smtp: SmtpStandIn, twilio: TwilioStandIn) -> Counter[str]:
    return Counter([str(mail["To"]) for mail in smtp.mails] + [order.fields["To"] for order in twilio.orders])


def rows(env: dict[str, str]) -> list[tuple[str, ...]]:
    with psycopg.connect(env["DATABASE_URL"]) as restored:
        return restored.execute(
            "SELECT id::text, communication_type, status FROM communication_log ORDER BY id"
        ).fetchall()


def count(env: dict[str, str], condition: str) -> int:
    with psycopg.connect(env["DATABASE_URL"]) as restored:
        (found,) = restored.execute(f"SELECT count(*) FROM communication_log WHERE {condition}").fetchone()
        return found


def test_nothing_that_was_sent_after_the_dump_goes_again(tmp_path: Path, second_database: str):  # noqa: F811
    file, to_check = tmp_path / "ddc.dump", tmp_path / "check.csv"
    queue_all()
    Celery(broker=settings.REDIS_URL).control.purge()
    with SmtpStandIn() as smtp, TwilioStandIn() as twilio:
        env = processes.environment(
            EMAIL_URL=f"smtp://127.0.0.1:{smtp.port}", SMS_BACKEND="twilio", TWILIO_ACCOUNT_SID=ACCOUNT,
            TWILIO_AUTH_TOKEN=TOKEN, TWILIO_FROM_NUMBER=NUMBER, TWILIO_API_URL=twilio.url,
            CONTACT_WINDOW="00:00-24:00", SMS_RATE="10", EMAIL_RATE="10",
        )  # fmt: skip
        restored = env | {
            role: named(second_database, role=role) for role in ("DATABASE_URL", "MIGRATION_DATABASE_URL")
        }
        with site(env):
            # The dump is taken while workers have messages in their hands.
            wait_until(lambda: len(smtp.mails) >= 5 and len(twilio.orders) >= 5)
            taken_at = dump(file)
            assert run(env, "run_strategy")[0] == 0
            wait_until(lambda: len(smtp.mails) >= 30 and len(twilio.orders) >= 30)
            restore(file, named(second_database))
            command = ("after_restore", "--dump-taken-at", taken_at.isoformat(), "--output", str(to_check))
            code, output = run(restored, *command)
            assert (code, "The site is running (worker" in output) == (1, True), output
            wait_until(lambda: len(smtp.mails) >= DUE + STRATEGY)
        lost = received(smtp, twilio)

        at_dump = rows(restored)
        code, output = run(restored, *command, "--dry-run")
        assert (code, rows(restored)) == (0, at_dump), output
        code, output = run(restored, *command)
        assert code == 0, output
        assert "Strategy: rules queue nothing for days up to" in output
        handled = rows(restored)
        uncertain = {row[0] for row in handled if row[2] == "uncertain"}
        assert uncertain
        assert uncertain <= set(to_check.read_text().replace(",", "\n").split())
        assert run(restored, *command)[0] == 0
        assert rows(restored) == handled

        with site(restored):
            assert run(restored, "run_strategy")[0] == 0
            wait_until(lambda: count(restored, WAITING) == 0)
            time.sleep(2)
        arrived = received(smtp, twilio)

    assert {address: times for address, times in arrived.items() if times > 1} == {}
    assert set(lost) <= set(arrived)
    assert len(lost) < len(arrived) or len(twilio.orders) == DUE
    phones = {order.fields["To"] for order in twilio.orders}
    missing = count(restored, "communication_type = 'sms' AND status = 'uncertain'")
    assert DUE - missing <= len(phones) <= DUE
    assert count(restored, "status = 'queued' AND due_at > now() + interval '1 hour'") == 2 * (COUNT - DUE)
    assert count(restored, "status = 'sent' AND communication_type = 'sms'") >= DUE - missing
