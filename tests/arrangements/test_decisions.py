"""Propose, approve, accept, cancel and reinstate arrangements; who may, and what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.db import IntegrityError, transaction

from agents.limits import AboveLimit
from agents.models import LimitKind, RoleLimit
from arrangements import computation, decisions, offers
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from collection.models import Debt, Hold
from ddc.common.errors import Forbidden
from tests import factories
from tests.arrangements.conftest import START, events, follow, noon, pay

pytestmark = pytest.mark.django_db

Make = Callable[..., Arrangement]


def debt(**fields: object) -> Debt:
    return factories.debt(**{"currency_code": "GBP", "original_balance": D(300), "current_balance": D(300)} | fields)


def test_an_offer_within_all_rules_needs_nobody(offer: Make) -> None:
    arrangement = offer(debt(), number=3)
    assert (arrangement.status, arrangement.needs) == ("offered", [])
    assert [row.amount for row in arrangement.instalments.all()] == [D(100)] * 3


def test_shares_follow_the_balances() -> None:
    first, second, third = (factories.debt().pk for _ in range(3))
    split = computation.shares(D(250), {first: D(500), second: D(300), third: D(200)}, "GBP")
    assert split == {first: D("125.00"), second: D("75.00"), third: D("50.00")}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"current_status": "paid", "current_balance": D(0)}, computation.DebtNotOpen),
        ({"disputed_amount": D(10)}, computation.DebtIsDisputed),
    ],
)
def test_a_closed_or_disputed_debt_is_refused(offer: Make, change: dict[str, object], error: type[Exception]) -> None:
    due = debt()
    Debt.objects.filter(pk=due.pk).update(**change)
    with pytest.raises(error):
        offer(due)


def test_debts_of_two_creditors_or_debtors_are_refused(offer: Make) -> None:
    due = debt()
    with pytest.raises(computation.DebtsDiffer):
        offer(due, debt(debtor=due.debtor, original_creditor="Other"))
    with pytest.raises(computation.DebtOfAnotherDebtor):
        offer(due, debt())


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"total": D(301)}, computation.TotalOutOfRange),
        ({"total": D(0)}, computation.TotalOutOfRange),
        ({"discount": D(10)}, computation.DiscountOutOfRange),
        ({"kind": Kind.SETTLEMENT}, computation.DiscountOutOfRange),
        ({"kind": Kind.SETTLEMENT, "discount": D(300)}, computation.DiscountOutOfRange),
        ({"kind": Kind.PROMISE, "number": 2}, computation.OnePayment),
        ({"first": START - timedelta(days=1)}, computation.StartsInPast),
    ],
)
def test_sums_and_schedules_that_do_not_fit_are_refused(
    offer: Make, fields: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        offer(debt(), **fields)


def test_beyond_the_agencys_rules_another_person_approves(offer: Make) -> None:
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, min_instalment=D(50))
    agent = factories.agent("Agent")
    arrangement = offer(debt(), number=10, by=agent)
    assert arrangement.status == "pending_approval"
    assert arrangement.needs == [{"kind": "approval", "text": "Agency's rule: An instalment is at least 50.00 GBP."}]
    with pytest.raises(Forbidden):
        decisions.approve(arrangement, by=factories.agent("Agent"), now=noon(START))
    decisions.approve(arrangement, by=factories.agent("Supervisor"), now=noon(START))
    assert arrangement.status == "offered"


def test_nobody_approves_their_own_proposal(offer: Make, supervisor: object) -> None:
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, max_months=1)
    arrangement = offer(debt(), number=10)
    with pytest.raises(decisions.OwnProposal):
        decisions.approve(arrangement, by=supervisor, now=noon(START))
    with pytest.raises(IntegrityError, match="arrangement_is_approved_by_another_person"), transaction.atomic():
        Arrangement.objects.filter(pk=arrangement.pk).update(approved_by=supervisor)


def test_beyond_the_creditors_rules_its_consent_is_recorded(offer: Make) -> None:
    due = debt()
    ArrangementPolicy.objects.create(
        currency_code="GBP", version=1, creditor=due.creditor, min_settlement_percent=D(80)
    )
    arrangement = offer(due, kind=Kind.SETTLEMENT, percent=D(40))
    assert [need["kind"] for need in arrangement.needs] == ["consent"]
    other = factories.agent("Supervisor")
    with pytest.raises(decisions.ConsentRequired):
        decisions.approve(arrangement, by=other, now=noon(START))
    decisions.approve(arrangement, by=other, creditor_consent="Ms Hill, by e-mail", now=noon(START))
    assert (arrangement.status, arrangement.creditor_consent) == ("offered", "Ms Hill, by e-mail")


def test_without_any_rule_a_settlement_needs_the_creditor(offer: Make) -> None:
    assert offer(debt(), kind=Kind.SETTLEMENT, percent=D(1)).status == "pending_approval"


def test_the_creditors_own_rule_comes_before_the_agencys(offer: Make) -> None:
    due = debt()
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, min_instalment=D(50))
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, creditor=due.creditor, min_instalment=D(10))
    assert offer(due, number=10).status == "offered"
    assert offer(debt(original_creditor="Other"), number=10).status == "pending_approval"


def test_a_roles_limit_sends_it_to_someone_whose_limit_suffices(offer: Make) -> None:
    RoleLimit.objects.create(role="Agent", kind=LimitKind.ARRANGEMENT_MONTHS, value=6)
    RoleLimit.objects.create(role="Supervisor", kind=LimitKind.ARRANGEMENT_MONTHS, value=12)
    agent = factories.agent("Agent")
    assert offer(debt(), number=5, by=agent).status == "offered"
    year, longer = offer(debt(), number=10, by=agent), offer(debt(), number=15, by=agent)
    assert year.needs[0]["text"] == "Limit of the role: months of an arrangement: at most 6 months."
    decisions.approve(year, by=factories.agent("Supervisor"), now=noon(START))
    with pytest.raises(AboveLimit):
        decisions.approve(longer, by=factories.agent("Supervisor"), now=noon(START))


def test_an_offer_can_be_accepted_until_its_last_day_is_over(offer: Make, supervisor: object) -> None:
    arrangement = offer(debt())
    last = noon(arrangement.expires_on).replace(hour=23, minute=59)
    decisions.accept(arrangement, by=supervisor, now=last)
    late = offer(debt())
    with pytest.raises(decisions.OfferExpired):
        decisions.accept(late, by=supervisor, now=noon(late.expires_on + timedelta(days=2)))
    assert offers.expire(now=noon(late.expires_on + timedelta(days=2))) == 1
    late.refresh_from_db()
    assert late.status == "expired"


def test_paying_a_settlement_in_time_accepts_it(offer: Make) -> None:
    due = debt()
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, min_settlement_percent=D(50))
    arrangement = offer(due, kind=Kind.SETTLEMENT, percent=D(40))
    pay(due, "180.00", START + timedelta(days=1))
    assert offers.accept_by_payment(now=noon(START + timedelta(days=1))) == 1
    assert follow(arrangement, START + timedelta(days=1)).status == "kept"
    due.refresh_from_db()
    assert due.current_status == "settled"


def test_a_new_arrangement_supersedes_the_active_one(agree: Make) -> None:
    due = debt()
    first = agree(due, number=3)
    second = agree(due, number=6)
    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "active")
    assert Hold.objects.not_ended().filter(debt=due, reason="arrangement").count() == 1


def test_cancelling_frees_the_debt(agree: Make, supervisor: object) -> None:
    due = debt()
    arrangement = agree(due)
    with pytest.raises(decisions.ReasonRequired):
        decisions.cancel(arrangement, by=supervisor, reason=" ", now=noon(START))
    decisions.cancel(arrangement, by=supervisor, reason="The debtor asked for it.", now=noon(START))
    due.refresh_from_db()
    assert (arrangement.status, due.current_status) == ("cancelled", "active")
    with pytest.raises(decisions.WrongStatus):
        decisions.cancel(arrangement, by=supervisor, reason="Again", now=noon(START))


def test_a_person_reinstates_a_broken_plan(agree: Make, supervisor: object) -> None:
    due = debt()
    arrangement = agree(due, number=3)
    follow(arrangement, date(2027, 2, 10))
    decisions.reinstate(
        arrangement, by=supervisor, reason="Paid at the counter on the 9th.", now=noon(date(2027, 2, 10))
    )
    assert follow(arrangement, date(2027, 2, 11)).status == "active"
    due.refresh_from_db()
    assert due.current_status == "payment_plan"
    assert follow(arrangement, date(2027, 3, 10)).status == "broken"
    assert events(arrangement) == ["proposed", "accepted", "broken", "reinstated", "broken"]
