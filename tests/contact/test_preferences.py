"""Contact preferences: recorded, applied by the gate, withdrawn."""

from datetime import UTC, datetime, time

import pytest

from communications.outbox import may_go
from contact import preferences
from contact.engine.decision import ReasonCode, Verdict
from contact.models import ContactPreference
from ddc.common.errors import DomainError, Forbidden
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def debtor():
    return factories.debtor()


def record(debtor, **values):
    return preferences.record(debtor, statement="I told you so", by=None, now=NOON, **values)


def asked(debtor, channel="email"):
    log = queue(
        debt=factories.debt(debtor=debtor), channel=channel, template=factories.template(communication_type=channel)
    )
    (one,) = may_go.gate_inputs([log], now=NOON)
    return one.decide(NOON)


@pytest.mark.parametrize(
    ("values", "verdict", "code"),
    [
        ({"no_contact": True}, Verdict.DENY, ReasonCode.REFUSED_CHANNEL),
        ({"no_contact": True, "channels": ["sms"]}, Verdict.ALLOW, None),
        ({"opens": time(17), "closes": time(20)}, Verdict.POSTPONE, ReasonCode.OUTSIDE_WINDOW),
        ({"opens": time(17), "closes": time(20), "channels": ["voice"]}, Verdict.ALLOW, None),
        ({"closes": time(11)}, Verdict.POSTPONE, ReasonCode.OUTSIDE_WINDOW),
        ({"opens": time(13)}, Verdict.POSTPONE, ReasonCode.OUTSIDE_WINDOW),
        ({"weekdays": [6, 7]}, Verdict.POSTPONE, ReasonCode.WEEKDAY),
        ({"time_zone": "America/Los_Angeles"}, Verdict.POSTPONE, ReasonCode.OUTSIDE_WINDOW),
    ],
)
def test_the_gate_applies_preferences(debtor, values, verdict, code):
    record(debtor, **values)
    decision = asked(debtor)

    assert decision.verdict == verdict
    assert {reason.code for reason in decision.reasons} == ({code} if code else set())


@pytest.mark.parametrize(
    ("channel", "address"), [("email", "JOHN@work.example"), ("sms", "07400 123456"), ("voice", "+447400123456")]
)
def test_an_employers_address_is_not_used_in_any_spelling(channel, address):
    debtor = factories.debtor(email="john@work.example", mobile_phone="+447400123456")
    record(debtor, work_address=address)

    assert {reason.code for reason in asked(debtor, channel).reasons} == {ReasonCode.WORK_ADDRESS}


def test_every_preference_that_forbids_a_contact_is_named():
    debtor = factories.debtor(email="john@work.example")
    record(debtor, work_address="john@work.example")
    record(debtor, no_contact=True, channels=["email"])
    decision = asked(debtor)

    assert {reason.code for reason in decision.reasons} == {ReasonCode.WORK_ADDRESS, ReasonCode.REFUSED_CHANNEL}
    assert "The debtor refused this channel: I told you so" in decision.reason


def test_a_preference_applies_to_queued_messages_until_it_is_withdrawn(debtor):
    first = queue(debt=factories.debt(debtor=debtor))
    preference = record(debtor, opens=time(17), closes=time(20))
    assert drain().statuses == {"postponed": 1}
    first.refresh_from_db()
    assert first.due_at == datetime(2026, 1, 14, 17, tzinfo=UTC)

    preferences.withdraw(preference, by=None, now=NOON)
    queue(debt=factories.debt(debtor=debtor))
    assert drain().statuses == {"sent": 1}
    with pytest.raises(preferences.AlreadyWithdrawn):
        preferences.withdraw(preference, by=None, now=NOON.replace(hour=13))
    preference.refresh_from_db()
    assert preference.withdrawn_at == NOON


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, None),
        ({"opens": time(20), "closes": time(8)}, "closes"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"work_address": "the mill"}, "work_address"),
    ],
)
def test_a_preference_that_cannot_be_applied_is_refused(debtor, values, field):
    with pytest.raises(DomainError) as refused:
        record(debtor, **values)

    assert refused.value.field == field
    assert not ContactPreference.objects.exists()


@pytest.mark.parametrize(
    ("where", "values", "works"),
    [
        # The agency's window is 8:00 to 21:00, the law of Quebec 8:00 to 20:00; without a pack it is Monday to Friday.
        ({}, {"opens": time(22), "closes": time(23)}, False),
        ({}, {"closes": time(8)}, False),
        ({}, {"closes": time(8, 1)}, True),
        ({"country_code": "CA", "region_state": "QC", "city": "Montreal"}, {"opens": time(20, 30)}, False),
        ({"country_code": "CA", "region_state": "QC", "city": "Montreal"}, {"opens": time(18, 30)}, True),
        ({"country_code": "AE"}, {"weekdays": [6, 7]}, False),
        ({"country_code": "AE"}, {"weekdays": [5, 6]}, True),
        ({"country_code": "PE"}, {"weekdays": [6], "channels": ["call_script"]}, False),
        ({"country_code": "PE"}, {"weekdays": [6], "channels": ["call_script", "email"]}, True),
        ({"country_code": None}, {"opens": time(22)}, True),
    ],
)  # fmt: skip
def test_hours_that_no_channel_could_keep_are_refused(where, values, works):
    debtor = factories.debtor(**{"mobile_phone": None} | where)
    if works:
        assert record(debtor, **values).pk
    else:
        with pytest.raises(preferences.NeverAllowed) as refused:
            record(debtor, **values)
        assert refused.value.field == "opens"
        assert not ContactPreference.objects.exists()


def test_two_preferences_that_exclude_each_other_are_refused(debtor):
    record(debtor, closes=time(12))
    with pytest.raises(preferences.NeverAllowed):
        record(debtor, opens=time(13))


def test_a_preference_is_recorded_and_withdrawn_only_with_the_permission(debtor):
    preference = record(debtor, no_contact=True)
    auditor = factories.agent("Auditor")
    with pytest.raises(Forbidden):
        preferences.record(debtor, statement="x", no_contact=True, by=auditor, now=NOON)
    with pytest.raises(Forbidden):
        preferences.withdraw(preference, by=auditor, now=NOON)
    assert ContactPreference.objects.get().withdrawn_at is None
