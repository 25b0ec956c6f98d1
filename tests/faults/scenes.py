"""One scene per fault: the part that breaks, the duration, and the conditions that must hold afterwards."""

import http.client
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import close_old_connections, connection
from django.utils import timezone

from agents.models import Agent
from collection.models import Debt
from communications.models import CommunicationLog
from communications.outbox import outbox
from payments import reconciliation
from payments.models import Payment
from tests import factories
from tests.faults.load import Load
from tests.faults.rig import Rig, silent_server, wait_until
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import Order

WARM_UP, HELD, AFTER = 2.0, 6.0, 3.0
MESSAGES, CAMPAIGN = 12, 50_000
_OF_CAMPAIGN = "A campaign"
_CAMPAIGN = f"""
WITH debtors AS (
    INSERT INTO debtor (email, normal_email, first_name, last_name, mobile_phone, normal_phone, country_code)
    SELECT email, email, 'Jo', 'Doe', phone, phone, 'GB' FROM generate_series(1, %(count)s) AS n CROSS JOIN LATERAL (
        SELECT 'debtor.' || n || '@example.com' AS email, '+4475' || lpad(n::text, 8, '0') AS phone
    ) AS addresses RETURNING id
)
INSERT INTO communication_log (debtor_id, communication_type, status, due_at, subject, body)
SELECT id, 'email', 'queued', %(now)s, '{_OF_CAMPAIGN}', 'Hello' FROM debtors
"""
_OPEN = ("queued", "postponed", "claimed", "sending")


@dataclass
class Row:
    """A line of the table, with the errors found."""

    fault: str
    answered: str
    lost: int
    recovered: float
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"| {self.fault} | {self.answered} | {self.lost} | {self.recovered:.1f} |"


@dataclass
class Stage:
    """The site with an agent's token, debts and phones."""

    rig: Rig
    token: str
    debts: list[str]
    phones: list[str]

    @classmethod
    def built(cls, rig: Rig) -> "Stage":
        from agents import api_tokens

        agent = Agent.objects.filter(username="faults").first() or factories.agent("Supervisor", username="faults")
        debts = [factories.debt(balance=Decimal(100_000)) for _ in range(32)]
        _, token = api_tokens.create(agent, now=timezone.now())
        phones = [debt.debtor.mobile_phone for debt in debts]
        return cls(rig, token, [str(debt.pk) for debt in debts], phones)

    def load(self) -> Load:
        return Load(self.rig.port, self.token, self.debts, self.phones)


def under_load(
    stage: Stage, fault: str, inflict: Callable[[], None], heal: Callable[[], None], *, held: float = HELD
) -> Row:
    """Break something while sixteen clients work, repair it, and count the payments that were answered 201."""
    with stage.load() as load:
        time.sleep(WARM_UP)
        begin = time.monotonic()
        inflict()
        time.sleep(held)
        heal()
        healed = time.monotonic()
        wait_until(lambda: load.recovered(healed) < float("inf"), seconds=30)
        time.sleep(AFTER)
    answered = f"{load.summary(begin, healed)}; {len(load.paid)} payments were answered 201 in all"
    row = Row(fault, answered, _missing(load), load.recovered(healed))
    if load.slowest_health > 3:
        row.wrong.append(f"/health took {load.slowest_health:.1f} s")
    if any(answer.status == 500 for answer in load.answers):
        row.wrong.append("something was answered 500")
    if row.recovered > 15:
        row.wrong.append("recovery takes too long")
    return _judged(row)


def _missing(load: Load) -> int:
    """Count the payments that were answered 201 but are missing."""
    connection.close()
    there = set(Payment.objects.filter(processor_txn_id__in=load.paid).values_list("processor_txn_id", flat=True))
    return len(load.paid - there)


def _judged(row: Row) -> Row:
    if row.lost:
        row.wrong.append(f"{row.lost} lost")
    if differences := list(reconciliation.differences()):
        row.wrong.append(f"the ledger has {len(differences)} differences")
    return row


def postgres_restarted(stage: Stage) -> Row:
    return under_load(
        stage, "PostgreSQL restarted", stage.rig.stop_postgres, stage.rig.start_postgres, held=1
    )  # fmt: skip


def postgres_killed(stage: Stage) -> Row:
    return under_load(stage, "PostgreSQL killed (SIGKILL)", stage.rig.kill_postgres, stage.rig.start_postgres, held=2)


def postgres_hung(stage: Stage) -> Row:
    return under_load(
        stage,
        "PostgreSQL hung (SIGSTOP)",
        lambda: stage.rig.signal_postgres(signal.SIGSTOP),
        lambda: stage.rig.signal_postgres(signal.SIGCONT),
    )


def valkey_gone(stage: Stage) -> Row:
    row = under_load(stage, "Valkey gone", stage.rig.stop_valkey, stage.rig.start_valkey)
    return _and_messages_flow_again(stage, row)


def valkey_hung(stage: Stage) -> Row:
    valkey = stage.rig.running["valkey"]
    row = under_load(
        stage,
        "Valkey hung (SIGSTOP)",
        lambda: valkey.send_signal(signal.SIGSTOP),
        lambda: valkey.send_signal(signal.SIGCONT),
    )
    return _and_messages_flow_again(stage, row)


def disk_full(stage: Stage) -> Row:
    ballast = stage.rig.folder / "ballast"

    def fill() -> None:
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65_536)
                    file.flush()
            except OSError:
                pass

    def clear() -> None:
        ballast.unlink()
        if stage.rig.running["postgres"].poll() is not None:
            stage.rig.start_postgres()

    return under_load(stage, "disk of the database full", fill, clear)


def _and_messages_flow_again(stage: Stage, row: Row) -> Row:
    """Measure how soon a message is sent that is queued after the broker is back."""
    messages = queue(stage, "email", 3)
    took = wait_until(lambda: not still_open(messages), seconds=60)
    row.recovered += took
    row.answered += f"; a new message went {took:.1f} s after that"
    return _outcome(row, messages, stage.rig)


def smtp_down(stage: Stage) -> Row:
    rig = stage.rig
    rig.smtp.controller.stop()
    messages = queue(stage, "email", MESSAGES)
    others = queue(stage, "sms", 3)
    sms = wait_until(lambda: not still_open(others), seconds=60)
    time.sleep(2)
    answered = f"{summary(messages)}; SMS went on within {sms:.1f} s"
    rig.smtp = SmtpStandIn(rig.smtp.port)
    rig.smtp.__enter__()
    return _sent_after(Row("SMTP server down", answered, 0, 0), messages, rig)


def smtp_hung(stage: Stage) -> Row:
    rig = stage.rig
    rig.smtp.controller.stop()
    with silent_server(rig.smtp.port):
        messages = queue(stage, "email", MESSAGES)
        time.sleep(1)
        others = queue(stage, "sms", 3)
        sms = wait_until(lambda: not still_open(others), seconds=90)
        answered = f"{summary(messages)}; SMS went on within {sms:.1f} s"
    rig.smtp = SmtpStandIn(rig.smtp.port)
    rig.smtp.__enter__()
    return _sent_after(Row("SMTP server hangs", answered, 0, 0), messages, rig)


def twilio_down(stage: Stage) -> Row:
    rig = stage.rig
    rig.twilio.errors[:] = [(503, 20503)] * 10_000
    messages = queue(stage, "sms", MESSAGES)
    others = queue(stage, "email", 3)
    mail = wait_until(lambda: not still_open(others), seconds=60)
    time.sleep(2)
    answered = f"{summary(messages)}; mail went on within {mail:.1f} s"
    rig.twilio.errors.clear()
    return _sent_after(Row("Twilio answers 503", answered, 0, 0), messages, rig)


def twilio_hung(stage: Stage) -> Row:
    rig = stage.rig
    rig.twilio.silent = 60
    messages = queue(stage, "sms", 3)
    time.sleep(1)
    others = queue(stage, "email", 3)
    mail = wait_until(lambda: not still_open(others), seconds=90)
    wait_until(lambda: summary(messages).startswith("3 x uncertain"), seconds=60)
    answered = f"{summary(messages)}; mail went on within {mail:.1f} s"
    rig.twilio.silent = 0
    row = Row("Twilio takes orders and hangs", answered, 0, 0)
    fresh = queue(stage, "sms", 3)
    row.recovered = wait_until(lambda: not still_open(fresh), seconds=60)
    return _outcome(row, [*messages, *fresh], rig)


def clocks_wrong(stage: Stage) -> Row:
    rig = stage.rig
    rig.stop("worker")
    rig.start_worker_with_clock("ahead", 2 * 3600)
    rig.start_worker_with_clock("behind", -2 * 3600)
    time.sleep(8)
    messages = queue(stage, "email", 60)
    wait_until(lambda: not still_open(messages), seconds=30)
    answered = summary(messages)
    rig.stop("ahead", "behind")
    rig.start_program("worker")
    return _sent_after(Row("workers' clocks two hours ahead and behind", answered, 0, 0), messages, rig)


def codes_in_a_campaign(stage: Stage) -> Row:
    """Sixty debtors request a code during a campaign of 50,000 mails, and none of them waits for it.

    Ten earlier requests warm up the processes.
    """
    rig = stage.rig
    asked: dict[str, float] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CAMPAIGN, {"count": CAMPAIGN, "now": timezone.now()})
    outbox.wake(outbox.Queue.ALL)
    wait_until(lambda: CommunicationLog.objects.filter(subject=_OF_CAMPAIGN, status="sent").exists(), seconds=30)
    phones = [factories.debt().debtor.mobile_phone for _ in range(70)]
    for phone in filter(None, phones[:10]):
        _ask_for_code(rig, phone)
    wait_until(lambda: len(_codes(rig, phones[:10])) == 10, seconds=30)
    for phone in filter(None, phones[10:]):
        asked[phone] = time.monotonic()
        _ask_for_code(rig, phone)
        time.sleep(0.1)
    wait_until(lambda: len(_codes(rig, asked)) >= len(asked), seconds=30)
    took = sorted(order.at - asked[order.fields["To"]] for order in _codes(rig, asked))
    campaign = CommunicationLog.objects.filter(subject=_OF_CAMPAIGN)
    waits = campaign.exclude(status="sent").count()
    campaign.filter(status="queued").update(status="blocked", due_at=None)
    slowest = took[int(len(took) * 0.99)] if took else float("inf")
    answered = f"{len(took)} codes, half of them within {took[len(took) // 2]:.2f} s, p99 {slowest:.2f} s; {waits:,} mails waited"
    row = Row(f"one-time codes in a campaign of {CAMPAIGN:,}", answered, len(asked) - len(took), 0)
    if slowest > 2:
        row.wrong.append(f"a code took {slowest:.1f} s")
    if not waits:
        row.wrong.append("the campaign ended before the codes did")
    return _judged(row)


def _codes(rig: Rig, phones: Collection[str | None]) -> list[Order]:
    """Return the stand-in's orders for these phones, without those of other scenes."""
    return [order for order in tuple(rig.twilio.orders) if order.fields["To"] in phones]


def _ask_for_code(rig: Rig, phone: str) -> None:
    asking = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=10)
    body = json.dumps({"mobilePhone": phone})
    asking.request("POST", "/debtors/auth/request-otp", body, {"Content-Type": "application/json"})
    assert asking.getresponse().status < 300
    asking.close()


def queue(stage: Stage, channel: str, number: int) -> list[str]:
    """Queue messages as a strategy run would."""
    close_old_connections()
    template = factories.template(
        name=f"fault {time.time_ns()}", communication_type=channel, body="You owe {{debt_amount}}"
    )
    debts = Debt.objects.filter(pk__in=stage.debts).select_related("debtor")
    made = []
    for at in range(number):
        debt = debts[at % len(stage.debts)]
        log = outbox.queue(debtor=debt.debtor, debt=debt, channel=channel, template=template, now=timezone.now())
        made.append(str(log.pk))
    return made


def statuses(messages: list[str]) -> Counter[str]:
    close_old_connections()
    return Counter(CommunicationLog.objects.filter(pk__in=messages).values_list("status", flat=True))


def still_open(messages: list[str]) -> bool:
    return any(status in _OPEN for status in statuses(messages))


def summary(messages: list[str]) -> str:
    return ", ".join(f"{number} x {status}" for status, number in sorted(statuses(messages).items()))


def _sent_after(row: Row, messages: list[str], rig: Rig) -> Row:
    row.recovered = wait_until(lambda: not still_open(messages), seconds=200)
    return _outcome(row, messages, rig)


def _outcome(row: Row, messages: list[str], rig: Rig) -> Row:
    """Check that every message was sent once, or is marked as uncertain."""
    found = statuses(messages)
    row.lost += len(messages) - found["sent"] - found["delivered"] - found["uncertain"]
    mails = Counter(mail["Message-ID"] for mail in rig.smtp.mails)
    if twice := [key for key, times in mails.items() if times > 1]:
        row.wrong.append(f"{len(twice)} mails were sent twice")
    if found["uncertain"]:
        row.answered += f"; {found['uncertain']} uncertain, and marked so"
    return _judged(row)
