import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count
from django.utils.timezone import now

from agents.models import Agent
from arrangements.models import Arrangement, ArrangementPolicy
from casework.models import Note
from collection.balances import totals
from collection.models import Debt, DeferralRequest, Dispute, LedgerEntry
from communications.models import CommunicationLog, CommunicationTemplate
from communications.sending import evidence
from contact.models import ContactDecision
from ddc.demo import loading, people
from debtors.models import Debtor
from payments import reconciliation
from payments.models import Payment
from portal.models import DigitalActivity
from strategy.models import StrategyRule, StrategyRun

pytestmark = pytest.mark.django_db

PASSWORD = "a-password-of-the-test"
COUNTED: tuple[Any, ...] = (
    Agent, Debtor, Debt, LedgerEntry, Payment, CommunicationLog, CommunicationTemplate, DigitalActivity, DeferralRequest,
)  # fmt: skip


#: A small part of the demo, by the same code.
SIZE = loading.Size(people=0.12, days=9)


@pytest.fixture
def demo(settings: Any) -> Any:
    settings.DEMO = True
    settings.DEMO_PASSWORD = PASSWORD
    settings.EMAIL_URL, settings.SMS_BACKEND = "demo://", "demo"
    settings.EMAIL_BACKEND = "communications.providers.demo.EmailBackend"
    settings.EMAIL_RATE = settings.SMS_RATE = 0
    return settings


def test_the_demo_is_loaded_once_and_its_ledger_is_right(demo: Any, capsys: pytest.CaptureFixture[str]):
    call_command("load_demo", size=SIZE)

    assert list(reconciliation.differences()) == []
    assert list(evidence.differences()) == []
    assert evidence.sealed().count() > 25
    assert len(set(Debtor.objects.values_list("country_code", flat=True))) == 30
    assert set(Debt.objects.values_list("currency_code", flat=True)) == {
        "GBP", "USD", "EUR", "INR", "BRL", "CAD", "AUD", "JPY",
    }  # fmt: skip
    assert not Debtor.objects.exclude(email=None).exclude(email__regex=r"@example\.(com|org)$").exists()
    assert totals.dashboard(now=now()).total_debt_amount is not None, "rates are there for every currency"
    assert set(StrategyRule.objects.values_list("channel", flat=True)) == {"email", "sms", "voice", "call_script"}
    told = capsys.readouterr().out
    assert "messages sent in 9 days" in told
    for phone in re.findall(r"\+\d+", told):
        assert Debtor.objects.filter(mobile_phone=phone).exists()

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # As in the transaction of another request.
    CommunicationTemplate.objects.filter(name="one_time_code").delete()  # A visitor deletes it.
    counts = [model.objects.count() for model in COUNTED]
    demo.DEMO_PASSWORD = "another-password-of-the-test"
    call_command("load_demo", size=SIZE)
    assert "loaded already" in capsys.readouterr().out
    assert [model.objects.count() for model in COUNTED] == counts
    users = Agent.objects.filter(username__in=["agent", "supervisor", "auditor"]).annotate(roles=Count("groups"))
    assert [(user.roles, user.check_password("another-password-of-the-test")) for user in users] == [(1, True)] * 3


def test_every_message_of_the_month_has_its_cause_its_decision_and_its_time(demo: Any):
    moment = now()
    loading.load(now=moment, size=SIZE)
    sent = CommunicationLog.objects.filter(direction="outbound", sent_at__isnull=False)
    by_rules = sent.filter(strategy_step__isnull=False)
    assert by_rules.count() > 20
    decided = ContactDecision.objects.filter(verdict="allow").values_list("message_id", flat=True)
    assert set(by_rules.values_list("pk", flat=True)) <= set(decided)
    assert not sent.filter(status="delivered", body__isnull=True).exists()
    runs_done = StrategyRun.objects.filter(status="done", is_daily=True).values_list("date", flat=True)
    assert len(set(runs_done)) in (SIZE.days, SIZE.days + 1)  # Today's is done from five o'clock on.
    for rows, time in (
        (CommunicationLog.objects.all(), "created_at"),
        (LedgerEntry.objects.exclude(kind="placement"), "posted_at"),
        (Payment.objects.all(), "created_at"),
        (Note.objects.all(), "created_at"),
        (DeferralRequest.objects.all(), "created_at"),
        (Dispute.objects.all(), "received_at"),
        (DigitalActivity.objects.all(), "created_at"),
    ):
        assert not rows.filter(**{f"{time}__gt": moment}).exists(), rows.model
        assert rows.filter(**{f"{time}__lt": moment - timedelta(days=1)}).exists(), rows.model


def test_a_real_site_refuses_sample_data(demo: Any):
    demo.DEMO = False
    with pytest.raises(CommandError, match="DEMO is not set"):
        call_command("load_demo")
    assert not Debtor.objects.exists()
    assert not Agent.objects.exists()


@pytest.mark.parametrize(("password", "why"), [("", "DEMO_PASSWORD is not set"), ("demo", "too short")])
def test_the_demo_has_no_password_of_its_own(demo: Any, password: str, why: str):
    demo.DEMO_PASSWORD = password
    with pytest.raises(CommandError, match=why):
        call_command("load_demo")
    assert not Agent.objects.exists()


def test_the_demos_phones_are_reserved_for_fiction():
    reserved = re.compile(
        r"\+447700900\d{3}|\+1\d{3}55501\d\d|\+49171392\d{4}|\+491760406\d{4}|\+336399\d{5}|\+61255500\d{3}|\+61370100\d{3}"
        r"|\+3532091\d{5}|\+99901\d{6}"
    )
    made = list(people.debtors(random.Random(1), today=date(2026, 3, 1), now=datetime(2026, 3, 1, tzinfo=UTC)))
    phones = [debtor.mobile_phone for debtor, _ in made if debtor.mobile_phone]
    assert len(phones) > 0.9 * len(made)
    assert len(set(phones)) == len(phones)
    assert [phone for phone in phones if not reserved.fullmatch(phone)] == []


def test_arrangements_in_every_state(demo: Any):
    loading.load(now=datetime.combine(now().date(), datetime.min.time(), UTC) - timedelta(hours=1), size=SIZE)
    found = dict(Arrangement.objects.values_list("note", "status"))
    assert set(found.values()) == {
        "pending_approval", "offered", "active", "kept", "broken", "expired", "declined", "cancelled",
    }  # fmt: skip
    settlements = Arrangement.objects.filter(kind="settlement")
    assert {row.status for row in settlements} == {"kept", "broken", "pending_approval"}
    assert (
        Debt.objects.get(arrangement_parts__arrangement__in=settlements.filter(status="kept")).current_status
        == "settled"
    )
    assert Arrangement.objects.filter(events__kind="reinstated", status="active").exists()
    assert ArrangementPolicy.objects.filter(replaced_at=None).count() == 8
