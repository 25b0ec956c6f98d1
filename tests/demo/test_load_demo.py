import random
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.utils.timezone import now

from agents.models import Agent
from collection.balances import totals
from collection.models import Debt, DeferralRequest, Dispute, Hold, LedgerEntry
from communications.models import CommunicationLog, CommunicationTemplate, MessageStatus
from communications.sending import evidence
from ddc.demo import people
from debtors.models import Debtor
from payments import reconciliation
from payments.models import Payment
from portal.models import DigitalActivity
from strategy import runs
from strategy.models import StrategyRule

pytestmark = pytest.mark.django_db

PASSWORD = "a-password-of-the-test"
COUNTED: tuple[Any, ...] = (
    Agent, Debtor, Debt, LedgerEntry, Payment, CommunicationLog, CommunicationTemplate, DigitalActivity, DeferralRequest,
)  # fmt: skip


@pytest.fixture
def demo(settings: Any) -> Any:
    settings.DEMO = True
    settings.DEMO_PASSWORD = PASSWORD
    return settings


def test_the_demo_is_loaded_once_and_its_ledger_is_right(demo: Any, capsys: pytest.CaptureFixture[str]):
    call_command("load_demo")

    assert list(reconciliation.differences()) == []
    assert list(evidence.differences()) == []
    assert evidence.sealed().count() > 2000
    assert Debtor.objects.count() == 2000
    assert len(set(Debtor.objects.values_list("country_code", flat=True))) == 30
    assert set(Debt.objects.values_list("currency_code", flat=True)) == {
        "GBP", "USD", "EUR", "INR", "BRL", "CAD", "AUD", "JPY",
    }  # fmt: skip
    assert 2800 < Debt.objects.count() < 3300
    assert 3500 < Payment.objects.count() < 4500
    assert set(DeferralRequest.objects.values_list("status", flat=True)) == {"pending", "approved", "rejected"}
    assert set(Dispute.objects.values_list("status", flat=True)) == set(Dispute.Status)
    whole = Dispute.objects.filter(status__in=Dispute.OPEN, portion__isnull=True)
    assert set(Debt.objects.filter(current_status="disputed")) == {dispute.debt for dispute in whole}
    assert set(Hold.objects.values_list("reason", flat=True)) == set(Hold.Reason)
    made = set(CommunicationLog.objects.values_list("status", flat=True))
    assert made == set(MessageStatus) - {MessageStatus.CLAIMED, MessageStatus.SENDING}
    assert not CommunicationLog.objects.filter(status="delivered", body__isnull=True).exists()
    assert not Debtor.objects.exclude(email__regex=r"@example\.(com|org)$").exists()
    assert totals.dashboard(now=now()).total_debt_amount is not None, "rates are there for every currency"

    run = runs.run_now(dry_run=True, by=None, clock=now)
    assert sum(line["queued"] for line in run.rules) > 200
    assert set(StrategyRule.objects.values_list("channel", flat=True)) == {"email", "sms", "voice", "call_script"}

    CommunicationTemplate.objects.filter(name="one_time_code").delete()  # A visitor deletes it.
    counts = [model.objects.count() for model in COUNTED]
    demo.DEMO_PASSWORD = "another-password-of-the-test"
    capsys.readouterr()
    call_command("load_demo")
    assert "loaded already" in capsys.readouterr().out
    assert [model.objects.count() for model in COUNTED] == counts
    users = Agent.objects.filter(username__in=["agent", "supervisor", "auditor"]).annotate(roles=Count("groups"))
    assert [(user.roles, user.check_password("another-password-of-the-test")) for user in users] == [(1, True)] * 3


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
