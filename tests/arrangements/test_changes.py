"""Delays, changed amounts, and what interrupts an arrangement."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal as D

import pytest

from arrangements import changes, decisions, interruptions
from arrangements.models import Arrangement, ArrangementPolicy
from collection import states
from collection.holds import holds
from collection.models import Debt
from tests import factories
from tests.arrangements.conftest import START, events, follow, noon, pay

pytestmark = pytest.mark.django_db

Agree = Callable[..., Arrangement]


def debt() -> Debt:
    return factories.debt(currency_code="GBP", balance=300)


def schedule(arrangement: Arrangement) -> list[tuple[date, D]]:
    return list(arrangement.instalments.values_list("agreed_on", "amount"))


def test_a_debtor_delays_an_instalment_once_within_the_policy(agree: Agree) -> None:
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, delay_days=14, grace_days=0)
    arrangement = agree(debt(), number=3)
    before = schedule(arrangement)
    shown = changes.delay(arrangement, 1, to=date(2027, 2, 15), by=None, now=noon(START), dry_run=True)
    assert shown[0].agreed_on == date(2027, 2, 15)
    assert schedule(arrangement) == before
    changes.delay(arrangement, 1, to=date(2027, 2, 15), by=None, now=noon(START))
    assert schedule(arrangement)[0] == (date(2027, 2, 15), D(100))
    assert follow(arrangement, date(2027, 2, 10)).status == "active"
    with pytest.raises(changes.DelayTooLong):
        changes.delay(arrangement, 1, to=date(2027, 2, 16), by=None, now=noon(START))
    with pytest.raises(changes.DelayTooLong):
        changes.delay(arrangement, 2, to=date(2027, 3, 16), by=factories.agent("Agent"), now=noon(START))
    changes.delay(arrangement, 2, to=date(2027, 3, 16), by=factories.agent("Supervisor"), now=noon(START))


@pytest.mark.parametrize("to", [date(2027, 2, 1), date(2027, 1, 3), date(2027, 3, 2)])
def test_a_delay_stays_between_today_and_the_next_instalment(agree: Agree, supervisor: object, to: date) -> None:
    with pytest.raises(changes.DelayOutOfRange):
        changes.delay(agree(debt(), number=3), 1, to=to, by=supervisor, now=noon(START))


def test_the_last_instalment_takes_the_difference(agree: Agree, supervisor: object) -> None:
    arrangement = agree(debt(), number=3)
    changes.change_amount(arrangement, 1, amount=D("40.00"), by=supervisor, reason="Short month", now=noon(START))
    assert [amount for _, amount in schedule(arrangement)] == [D(40), D(100), D(160)]
    event = arrangement.events.last()
    assert (event.kind, event.details["instalment"], event.details["last"]) == ("changed", 1, "160.0000")


@pytest.mark.parametrize(("no", "amount"), [(1, "200.00"), (1, "0.00"), (3, "50.00")])
def test_amounts_that_leave_nothing_are_refused(agree: Agree, supervisor: object, no: int, amount: str) -> None:
    with pytest.raises(changes.AmountOutOfRange):
        changes.change_amount(agree(debt(), number=3), no, amount=D(amount), by=supervisor, now=noon(START))


def test_a_paid_or_unknown_instalment_is_not_changed(agree: Agree, supervisor: object) -> None:
    due = debt()
    arrangement = agree(due, number=3)
    pay(due, "100.00", START)
    with pytest.raises(changes.InstalmentIsPaid):
        changes.delay(arrangement, 1, to=date(2027, 2, 15), by=supervisor, now=noon(START))
    with pytest.raises(changes.NoSuchInstalment):
        changes.delay(arrangement, 4, to=date(2027, 2, 15), by=supervisor, now=noon(START))


def test_only_an_active_arrangement_is_changed(agree: Agree, supervisor: object) -> None:
    arrangement = agree(debt(), number=3)
    decisions.cancel(arrangement, by=supervisor, reason="x", now=noon(START))
    with pytest.raises(decisions.WrongStatus):
        changes.delay(arrangement, 1, to=date(2027, 2, 15), by=supervisor, now=noon(START))


def test_breathing_space_moves_the_instalments_behind_it(agree: Agree, supervisor: object) -> None:
    due = debt()
    arrangement = agree(due, number=3, first=date(2027, 1, 31))
    holds.open_hold(
        reason="moratorium",
        debtor=due.debtor,
        source="Insolvency Service",
        by=supervisor,
        now=noon(date(2027, 1, 20)),
        starts_on=date(2027, 1, 20),
    )
    assert interruptions.move_suspended(now=noon(date(2027, 1, 30))) == 0
    assert interruptions.move_suspended(now=noon(date(2027, 1, 31))) == 1
    assert interruptions.move_suspended(now=noon(date(2027, 1, 31))) == 0
    assert [day for day, _ in schedule(arrangement)] == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]
    assert follow(arrangement, date(2027, 2, 10)).status == "active"
    assert events(arrangement)[-1] == "moved"


def test_a_death_hands_it_over_to_a_person(agree: Agree, supervisor: object) -> None:
    due = debt()
    arrangement = agree(due, number=3)
    holds.open_hold(reason="deceased", debtor=due.debtor, source="The son", by=supervisor, now=noon(START))
    assert interruptions.hand_over(now=noon(START)) == 1
    assert interruptions.hand_over(now=noon(START)) == 0
    arrangement.refresh_from_db()
    assert arrangement.needs_person


def test_closing_the_debt_ends_it(agree: Agree, supervisor: object) -> None:
    due = debt()
    arrangement = agree(due, number=3)
    due.refresh_from_db()
    states.change(due, "recalled", by=supervisor, today=START)
    assert interruptions.cancel_closed(now=noon(START)) == 1
    arrangement.refresh_from_db()
    assert arrangement.status == "cancelled"
