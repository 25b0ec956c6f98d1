"""The states of a message: whatever order events arrive in, a message moves forward or stays."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, MessageStatus, PendingDispatch
from communications.outbox import states
from communications.outbox.states import Advance, Cause, Event
from communications.sending import leases, outcomes
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db

#: No event leads to a status with a lower number.
PROGRESS = {
    "queued": 0, "postponed": 0, "claimed": 0, "sending": 1, "uncertain": 2, "sent": 3, "delivered": 4,
    "failed": 5, "bounced": 5, "blocked": 5, "received": 5,
}  # fmt: skip
PROVES_DELIVERY = {"delivered", "opened", "clicked", "complained", "unsubscribed"}
OF_PROVIDERS = [event for event in Event if event not in (Event.CONFIRMED, Event.REPLACED)]
STATUSES = [status for status in MessageStatus if status != "received"]


def test_the_document_has_the_table_of_the_code():
    call_command("describe_states", check=True)


def test_every_status_is_in_the_table_and_none_leads_to_an_inbound_one():
    named = {step.before for step in states.STEPS} | {step.after for step in states.STEPS}
    assert named == set(MessageStatus) - {MessageStatus.RECEIVED}
    assert set(PROGRESS) == set(MessageStatus)


def test_a_message_goes_back_to_the_queue_only_if_it_was_not_taken():
    back = {(s.before, s.after, s.cause) for s in states.STEPS if PROGRESS[s.after] < PROGRESS[s.before]}
    assert back == {
        ("sending", "queued", Cause.WORKER), ("sending", "queued", Cause.CLOCK), ("uncertain", "queued", Cause.WORKER),
    }  # fmt: skip


def test_a_status_and_an_event_have_one_result():
    pairs = [(step.before, event) for step in states.STEPS for event in step.events]
    assert len(pairs) == len(set(pairs))
    assert {step.cause for step in states.STEPS if step.events} == {Cause.EVENT}
    assert all(step.events for step in states.STEPS if step.cause == Cause.EVENT)


def test_a_step_that_is_not_in_the_table_has_no_condition():
    with pytest.raises(ValueError, match="No step leads to delivered by the worker"):
        states.before(MessageStatus.DELIVERED, Cause.WORKER)


def expected(before, event):
    """Return the status after an event about a message that was handed over."""
    if event == "confirmed":
        return "sent" if before == "uncertain" else before
    if event == "replaced":
        return "failed" if before == "uncertain" else before
    if before in ("failed", "bounced"):
        return before
    if event in PROVES_DELIVERY:
        return "delivered"
    if event == "sent":
        return before if before == "delivered" else "sent"
    if event == "failed":
        return "failed" if before in ("sending", "uncertain", "sent") else before
    return "bounced"


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("before", [status for status in STATUSES if status != "blocked"])
def test_every_event_in_every_status(before, event):
    message = handed_over(before)

    advance = states.advance(message, event, now=NOON, reason_text="550 No such user")

    row = CommunicationLog.objects.get(pk=message.pk)
    assert row.status == expected(before, event)
    assert (advance == Advance.MOVED) == (row.status != before)
    assert advance != Advance.NEVER_HANDED_OVER
    if advance == Advance.MOVED:
        assert row.due_at is None
        assert row.failure_reason == ("550 No such user" if row.status in ("failed", "bounced") else None)
        assert row.delivered_at == (NOON if row.status == "delivered" else None)
        assert (row.sent_at is not None) == (row.status in ("sent", "delivered"))
    assert (row.clicked_at, row.complained_at) == (
        NOON if event == "clicked" else None,
        NOON if event == "complained" else None,
    )


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("status", ["queued", "postponed", "claimed", "sending", "failed", "blocked"])
def test_an_event_about_a_message_that_was_never_handed_over_changes_nothing(status, event):
    message = handed_over(status, attempts=1 if status == "sending" else 0)
    if status == "sending":
        PendingDispatch.objects.create(message_id=message.pk)
    before = CommunicationLog.objects.values().get()

    assert states.advance(message, event, now=NOON, reason_text="x") == Advance.NEVER_HANDED_OVER

    assert CommunicationLog.objects.values().get() == before


@pytest.mark.parametrize("event", OF_PROVIDERS)
def test_a_message_that_was_blocked_after_an_attempt_is_for_an_agent(event):
    assert states.advance(handed_over("blocked"), event, now=NOON) == Advance.NEVER_HANDED_OVER


def test_an_earlier_attempt_counts_before_the_next_one_begins():
    message = handed_over("sending", attempts=2)
    PendingDispatch.objects.create(message_id=message.pk)

    assert states.advance(message, Event.DELIVERED, now=NOON) == Advance.MOVED


def test_a_confirmed_message_was_sent_when_it_turned_uncertain():
    message = handed_over("uncertain")
    CommunicationLog.objects.update(updated_at=NOON - timedelta(hours=3))

    states.advance(message, Event.CONFIRMED, now=NOON)

    assert CommunicationLog.objects.get().sent_at == NOON - timedelta(hours=3)


def test_the_first_time_of_a_fact_is_kept():
    message = handed_over("sent")
    for minutes in (0, 1):
        states.advance(message, Event.CLICKED, now=NOON + timedelta(minutes=minutes))

    row = CommunicationLog.objects.get()
    assert (row.clicked_at, row.delivered_at) == (NOON, NOON)


def test_an_event_about_an_attempt_that_seemed_to_fail_stops_the_next_one():
    message = handed_over("sending")
    record(message, Outcome(Result.RETRY, "smtp", None, "502 Bad gateway"))

    assert states.advance(message, Event.DELIVERED, now=NOON) == Advance.MOVED

    row = CommunicationLog.objects.get(pk=message.pk)
    assert (row.status, row.due_at, row.failure_reason, row.body) == ("delivered", None, None, "Hello")


#: What else may happen in between: the hand-over ends in some way, or its lease does.
others = some.sampled_from([*Result, "lease over"])


@given(some.lists(some.one_of(some.sampled_from(OF_PROVIDERS), others), max_size=8))
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=False
)
def test_whatever_order_events_arrive_in_a_message_never_steps_back(happenings):
    message = handed_over("sending")
    before, has_ended = MessageStatus.SENDING, False
    for number, happening in enumerate(happenings, start=1):
        now = NOON + timedelta(minutes=number)
        if happening == "lease over":
            leases.expire(now=now)
        elif isinstance(happening, Result):
            if has_ended:
                continue
            has_ended = True
            record(message, Outcome(happening, "smtp", "id", "words"), now=now)
        else:
            states.advance(message, happening, now=now)
        row = CommunicationLog.objects.get(pk=message.pk)
        is_retried = happening == Result.RETRY and before in (MessageStatus.SENDING, MessageStatus.UNCERTAIN)
        assert is_retried or PROGRESS[row.status] >= PROGRESS[before], (before, happening, row.status)
        if PROGRESS[before] == 5:
            assert row.status == before
        before = MessageStatus(row.status)
    row = CommunicationLog.objects.get(pk=message.pk)
    assert (row.due_at is not None) == (before in ("queued", "sending"))


@given(some.permutations([Event.SENT, Event.DELIVERED, Event.BOUNCED, Event.OPENED, Event.CLICKED, Event.COMPLAINED]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_events_in_any_order_end_in_the_same_status_and_facts(order):
    message = handed_over("sending")

    for number, event in enumerate(order):
        states.advance(message, event, now=NOON + timedelta(minutes=number))

    row = CommunicationLog.objects.get(pk=message.pk)
    assert row.status == "bounced"
    assert row.clicked_at
    assert row.complained_at


def record(message, outcome, *, now=NOON):
    return outcomes.record(message, outcome, earlier=[], began_at=NOON, now=now)


def handed_over(status, attempts=1):
    """Return a message in this status after so many attempts."""
    debt = factories.debt()
    waits = status in ("queued", "postponed", "claimed", "sending")
    return CommunicationLog.objects.create(
        debtor=debt.debtor, debt=debt, communication_type="email", status=status, attempts=attempts, subject="S",
        due_at=NOON + timedelta(seconds=60) if waits else None, address=debt.debtor.email, body="Hello", provider="smtp",
    )  # fmt: skip
