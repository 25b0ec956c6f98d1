"""People who use the portal, each with another story; tests of pages take those that they need."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from arrangements import decisions, proposals
from arrangements.computation import Schedule
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from casework import support
from collection import deferrals, disputes
from collection.holds import holds
from collection.models import Debt, Hold
from communications.models import CommunicationLog
from debtors.channels import AddressKind
from debtors.models import Debtor
from payments import posting
from portal import address_changes
from portal.models import Budget
from tests import factories

REASON = "I start a new job next month."


def policy(**values: Any) -> ArrangementPolicy:
    """Rules of the agency for plans in pounds: from £10 a month, for two years at most, and a settlement at 70 %."""
    rules = {"min_instalment": 10, "max_months": 24, "max_days_to_first": 45, "delay_days": 14}
    fields = {"currency_code": "GBP", "version": 1, "min_settlement_percent": 70, **rules, **values}
    return ArrangementPolicy.objects.create(**fields)


def busy() -> Debtor:
    """Somebody with a debt in each state: due, asked for, granted, disputed in part and whole, in a plan, paid and recalled."""
    now, agent = timezone.now(), factories.agent()
    debtor = factories.debtor(first_name="James", last_name="Whitfield", postal_code="SW1A 1AA")
    names = ["Blue Harbour Bank", "Alpine Health", "Tamar Mobile", "City Water", "North Energy", "Old Shop", "Gone Ltd"]
    due, disputed, plan, asked, granted, paid, recalled = (
        factories.debt(
            debtor=debtor, original_creditor=name, balance=200 + 31 * number, external_reference=f"R{number}"
        )
        for number, name in enumerate(names)
    )
    Debt.objects.filter(pk=due.pk).update(due_date=now.date())
    disputes.receive(disputed, channel="portal", reason=REASON, by=None, debtor=debtor, now=now)
    agreed(plan, number=3)
    deferrals.request(asked, debtor=debtor, days=14, reason=REASON, now=now)
    deferrals.approve(
        deferrals.request(granted, debtor=debtor, days=20, reason=REASON, now=now), by=agent, notes="", now=now
    )
    factories.document(debtor=debtor, dispute=disputed.disputes.get())
    support.answer(factories.complaint(debtor=debtor), answer="That was our mistake.", by=agent, now=now)
    address_changes.request(debtor, address_changes.parse("new@mail.example", AddressKind.EMAIL, debtor), now=now)
    CommunicationLog.objects.create(
        debtor=debtor,
        communication_type="email",
        status="sent",
        subject="Your account",
        body="Please call us.",
        sent_at=now,
    )
    for left_over in (360, -40):
        Budget.objects.create(
            debtor=debtor, currency_code="GBP", income={}, essentials={}, total_income=1850, total_essentials=1850 - left_over,
            left_over=left_over, percent=50, offered=max(left_over // 2, 0),
        )  # fmt: skip
    pay(paid, paid.current_balance)
    Debt.objects.filter(pk=recalled.pk).update(current_status="recalled")
    return debtor


def agreed(debt: Debt, *, number: int) -> Arrangement:
    """Agree to monthly payments on a debt."""
    now = timezone.now()
    schedule = Schedule(first=now.date() + timedelta(days=20), number=number)
    made = proposals.propose(
        Kind.PLAN,
        debtor=debt.debtor,
        debt_ids=[debt.pk],
        schedule=schedule,
        by=None,
        source=Arrangement.Source.PORTAL,
        now=now,
    )
    return decisions.accept(made, by=None, now=now)


def two_currencies() -> Debtor:
    debtor = factories.debtor()
    factories.debt(debtor=debtor, balance=100)
    factories.debt(debtor=debtor, balance=50, currency_code="EUR", original_creditor="Euro Bank")
    return debtor


def wholly_disputed() -> Debtor:
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor)
    Debt.objects.filter(pk=debt.pk).update(due_date=timezone.now().date() - timedelta(days=30))
    factories.dispute(debt=debt)
    return debtor


def on_hold(reason: Hold.Reason) -> Debtor:
    """Somebody on hold as a person, such as in breathing space, or a minor."""
    debtor = factories.debtor()
    factories.debt(debtor=debtor)
    holds.create_hold(reason=reason, debtor=debtor, by=None, now=timezone.now())
    return debtor


def with_credit() -> Debtor:
    """Somebody who paid too much."""
    debtor = factories.debtor()
    debt = factories.debt(debtor=debtor, balance=100)
    pay(debt, Decimal(130))
    return debtor


def pay(debt: Debt, amount: Decimal) -> None:
    """Pay today; more than is open becomes credit."""
    today = timezone.now().date()
    posting.record(
        debt=debt, by=None, today=today, begun=today, amount=amount, payment_date=today, overpayment="credit"
    )
