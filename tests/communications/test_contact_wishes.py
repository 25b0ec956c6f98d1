"""What debtors told us of when, where and how they may be reached, and that the gate obeys it."""

from datetime import UTC, datetime, time

import pytest

from communications.contact import decisions, gate, wishes
from communications.contact.gate import Code, Verdict
from communications.models import ContactWish
from ddc.common.errors import DomainError, Forbidden
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def debtor():
    return factories.debtor()


def note(debtor, **wish):
    return wishes.note(debtor, told="I told you so", by=None, now=NOON, **wish)


def asked(debtor, channel="email"):
    log = queue(
        debt=factories.debt(debtor=debtor), channel=channel, template=factories.template(communication_type=channel)
    )
    (one,) = decisions.ask([log], now=NOON)
    return gate.decide(one.facts, one.policies, NOON)


@pytest.mark.parametrize(
    ("wish", "verdict", "code"),
    [
        ({"no_contact": True}, Verdict.DENY, Code.REFUSED_CHANNEL),
        ({"no_contact": True, "channels": ["sms"]}, Verdict.ALLOW, None),
        ({"opens": time(17), "closes": time(20)}, Verdict.POSTPONE, Code.OUTSIDE_WINDOW),
        ({"opens": time(17), "closes": time(20), "channels": ["voice"]}, Verdict.ALLOW, None),
        ({"closes": time(11)}, Verdict.POSTPONE, Code.OUTSIDE_WINDOW),
        ({"opens": time(13)}, Verdict.POSTPONE, Code.OUTSIDE_WINDOW),
        ({"weekdays": [6, 7]}, Verdict.POSTPONE, Code.WEEKDAY),
        ({"time_zone": "America/Los_Angeles"}, Verdict.POSTPONE, Code.OUTSIDE_WINDOW),
    ],
)
def test_the_gate_obeys_what_they_told_us(debtor, wish, verdict, code):
    note(debtor, **wish)
    decision = asked(debtor)

    assert decision.verdict == verdict
    assert {reason.code for reason in decision.reasons} == ({code} if code else set())


@pytest.mark.parametrize(
    ("channel", "address"), [("email", "JOHN@work.example"), ("sms", "07400 123456"), ("voice", "+447400123456")]
)
def test_an_employers_address_is_not_used_however_it_was_written_down(channel, address):
    debtor = factories.debtor(email="john@work.example", mobile_phone="+447400123456")
    note(debtor, work_address=address)

    assert {reason.code for reason in asked(debtor, channel).reasons} == {Code.WORK_ADDRESS}


def test_all_that_they_told_us_is_named():
    debtor = factories.debtor(email="john@work.example")
    note(debtor, work_address="john@work.example")
    note(debtor, no_contact=True, channels=["email"])
    decision = asked(debtor)

    assert {reason.code for reason in decision.reasons} == {Code.WORK_ADDRESS, Code.REFUSED_CHANNEL}
    assert "They told us not to: I told you so" in decision.reason


def test_a_wish_acts_on_what_is_queued_already_and_no_more_once_it_is_withdrawn(debtor):
    first = queue(debt=factories.debt(debtor=debtor))
    wish = note(debtor, opens=time(17), closes=time(20))
    assert drain().ended == {"postponed": 1}
    first.refresh_from_db()
    assert first.due_at == datetime(2026, 1, 14, 17, tzinfo=UTC)

    wishes.withdraw(wish, by=None, now=NOON)
    queue(debt=factories.debt(debtor=debtor))
    assert drain().ended == {"sent": 1}
    with pytest.raises(wishes.AlreadyWithdrawn):
        wishes.withdraw(wish, by=None, now=NOON.replace(hour=13))
    wish.refresh_from_db()
    assert wish.ended_at == NOON


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, None),
        ({"opens": time(20), "closes": time(8)}, "closes"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"work_address": "the mill"}, "work_address"),
    ],
)
def test_what_nobody_could_obey_is_refused(debtor, wish, field):
    with pytest.raises(DomainError) as refused:
        note(debtor, **wish)

    assert refused.value.field == field
    assert not ContactWish.objects.exists()


def test_who_may_not_note_or_end_a_wish_changes_nothing(debtor):
    wish = note(debtor, no_contact=True)
    auditor = factories.agent("Auditor")
    with pytest.raises(Forbidden):
        wishes.note(debtor, told="x", no_contact=True, by=auditor, now=NOON)
    with pytest.raises(Forbidden):
        wishes.withdraw(wish, by=auditor, now=NOON)
    assert ContactWish.objects.get().ended_at is None
