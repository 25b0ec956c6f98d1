"""The figures of a day: what they count, up to when, and when they are measured again."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from casework import figures, follow_ups
from casework.models import DayFigures
from collection import deferrals
from collection.models import DeferralRequest
from communications.models import CommunicationLog
from payments.models import Payment
from tests import factories

NOW = datetime(2026, 2, 4, 12, tzinfo=UTC)
TODAY = date(2026, 2, 4)

pytestmark = pytest.mark.django_db


def paid(day: date, amount: int, at: datetime, currency: str = "GBP", status: str = "completed") -> Payment:
    made = Payment.objects.create(
        debt=factories.debt(currency_code=currency),
        amount=amount,
        currency_code=currency,
        payment_date=day,
        status=status,
    )
    Payment.objects.filter(pk=made.pk).update(created_at=at)
    return made


def sent(status: str, at: datetime, channel: str = "email", **values: object) -> None:
    fields = {"debtor": factories.debtor(), "communication_type": channel, "status": status, "created_at": at} | values
    CommunicationLog.objects.create(**fields)


def test_what_was_collected_is_summed_by_currency_and_never_added():
    paid(TODAY, 10, NOW)
    paid(TODAY, 5, NOW)
    paid(TODAY, 7, NOW, "USD")
    paid(TODAY, 100, NOW, status="failed")
    paid(TODAY - timedelta(1), 100, NOW)
    found = figures.measure(TODAY, until=NOW + timedelta(seconds=1))["collected"]
    assert {currency: (Decimal(amount), number) for currency, (amount, number) in found.items()} == {
        "GBP": (15, 2), "USD": (7, 1),
    }  # fmt: skip


def test_last_week_is_measured_up_to_the_same_time():
    last_week = NOW - timedelta(days=7)
    paid(last_week.date(), 10, last_week - timedelta(hours=1))
    paid(last_week.date(), 5, last_week + timedelta(hours=1))
    sent("delivered", last_week - timedelta(hours=1))
    sent("delivered", last_week + timedelta(hours=1))
    figures.refresh(now=NOW)
    today = DayFigures.objects.get(day=TODAY)
    assert today.week_ago
    assert Decimal(today.week_ago["collected"]["GBP"][0]) == 10
    assert today.week_ago["messages"] == {"email": {"delivered": 1}}
    assert Decimal(DayFigures.objects.get(day=last_week.date()).figures["collected"]["GBP"][0]) == 15


def test_messages_calls_and_decisions_of_the_day():
    agent = factories.agent()
    sent("delivered", NOW - timedelta(hours=1))
    sent("blocked", NOW - timedelta(hours=1), "sms")
    sent("delivered", NOW - timedelta(days=1))
    for outcome in ("right_party", "no_answer"):
        sent("sent", NOW, "call_script", outcome=outcome, outcome_at=NOW - timedelta(hours=1), outcome_by=agent)
    debt = factories.debt()
    asked = deferrals.request(debt, debtor=debt.debtor, days=30, reason="More time.", now=NOW)
    deferrals.approve(asked, by=agent, notes=None, now=NOW)
    found = figures.measure(TODAY, until=NOW + timedelta(seconds=1))
    assert (found["messages"]["email"]["delivered"], found["messages"]["sms"]) == (1, {"blocked": 1})
    assert (found["talks"], found["decided"]) == (1, {"approved": 1})
    assert found["team"] == {str(agent.pk): {"calls": 2, "talks": 1, "decided": 1}}


@pytest.mark.parametrize(("amount", "what"), [(1000, "paid"), (5, "part"), (0, "nothing")])
def test_what_came_of_a_deferral(amount: int, what: str):
    debt = factories.debt(balance=1000)
    asked = deferrals.request(debt, debtor=debt.debtor, days=30, reason="More time.", now=NOW)
    deferrals.approve(asked, by=factories.agent(), notes=None, now=NOW)
    asked.refresh_from_db()
    if amount:
        from payments import posting

        posting.record(debt=debt, amount=Decimal(amount), by=factories.agent(), today=TODAY)
        Payment.objects.update(created_at=NOW + timedelta(hours=1), payment_date=TODAY)
    ended = DeferralRequest.objects.get(pk=asked.pk).granted_until
    assert ended
    assert figures.measure(ended, until=NOW + timedelta(days=90))["kept"] == {what: 1}


def test_follow_ups_are_kept_if_they_are_done_by_their_day():
    agent = factories.agent()
    set_on = NOW - timedelta(days=1)
    in_time, early, late, still_open, moved, dropped = (factories.follow_up(due_on=TODAY, now=set_on) for _ in range(6))
    follow_ups.finish(in_time, by=agent, now=NOW)
    follow_ups.finish(early, by=agent, now=set_on)
    follow_ups.move(moved, due_on=TODAY + timedelta(days=1), by=agent, now=NOW)
    follow_ups.drop(dropped, by=agent, now=NOW)
    follow_ups.finish(late, by=agent, now=NOW + timedelta(days=1))
    assert still_open.outcome is None
    assert figures.measure(TODAY, until=NOW + timedelta(seconds=1))["follow_ups"] == (2, 4)


def test_a_day_is_measured_again_until_it_has_settled_and_old_ones_go():
    DayFigures.objects.create(day=TODAY - timedelta(days=90), measured_at=NOW, figures={})
    figures.refresh(now=NOW)
    assert DayFigures.objects.count() == figures.DAYS + 1
    figures.refresh(now=NOW + timedelta(hours=2))
    again = set(DayFigures.objects.filter(measured_at__gt=NOW).values_list("day", flat=True))
    assert again == {TODAY - timedelta(days=back) for back in range(8)}
    assert [one.day for one in figures.latest(now=NOW)][-1] == TODAY
