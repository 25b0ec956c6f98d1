"""The states of a message: nothing moves back, whatever order news come in."""

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, MessageStatus
from communications.outbox import states
from communications.outbox.states import Cause, Event
from communications.sending import outcomes
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import queue

pytestmark = pytest.mark.django_db


def test_the_document_has_the_table_of_the_code():
    call_command("describe_states", check=True)


def test_every_state_is_in_the_table_and_none_leads_to_an_inbound_one():
    named = {step.before for step in states.STEPS} | {step.after for step in states.STEPS}
    assert named == set(MessageStatus) - {MessageStatus.RECEIVED}
    assert set(states.PROGRESS) == set(MessageStatus)


def test_no_news_and_no_person_leads_back():
    for step in states.STEPS:
        unbegun = (step.before, step.after) == (MessageStatus.SENDING, MessageStatus.QUEUED)
        if step.cause in (Cause.PROVIDER, Cause.PERSON) or (step.cause == Cause.CLOCK and not unbegun):
            assert states.PROGRESS[step.after] > states.PROGRESS[step.before], step


def test_only_a_message_that_was_not_taken_waits_again():
    back = {(s.before, s.after) for s in states.STEPS if states.PROGRESS[s.after] < states.PROGRESS[s.before]}
    assert back == {("sending", "queued"), ("uncertain", "queued")}


def test_what_failed_blocked_or_bounced_moves_no_more():
    assert not {step.before for step in states.STEPS} & {"failed", "blocked", "bounced", "received"}


news = some.sampled_from(Event)
#: What else happens meanwhile: the hand-over ends in some way, or outlives its lease.
meanwhile = some.sampled_from([*Result, "stuck"])


@given(some.lists(some.one_of(news, meanwhile), max_size=8))
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=False
)
def test_whatever_order_news_come_in_a_message_never_steps_back(happenings):
    log = sending()
    before, handed_over = MessageStatus.SENDING, False
    for number, happening in enumerate(happenings, start=1):
        at = NOON + timedelta(minutes=number)
        if happening == "stuck":
            outcomes.settle_stuck(now=at)
        elif isinstance(happening, Result):
            if handed_over:
                continue
            handed_over = True
            record(log, Outcome(happening, "smtp", "id", "words"), at=at)
        else:
            outcomes.settle(log.pk, happening, at=at)
        row = CommunicationLog.objects.get(pk=log.pk)
        retried = happening == Result.RETRY and before in (MessageStatus.SENDING, MessageStatus.UNCERTAIN)
        assert retried or states.PROGRESS[MessageStatus(row.status)] >= states.PROGRESS[before], (
            before,
            happening,
            row.status,
        )
        if states.PROGRESS[before] == 5:
            assert row.status == before
        before = MessageStatus(row.status)
    assert (row_is_due := before in ("queued", "sending")) == bool(CommunicationLog.objects.get(pk=log.pk).due_at), (
        row_is_due
    )


@given(some.permutations([Event.SENT, Event.DELIVERED, Event.BOUNCED, Event.OPENED, Event.CLICKED, Event.COMPLAINED]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_news_in_any_order_end_in_the_same_state_and_facts(order):
    log = sending()

    for number, event in enumerate(order):
        outcomes.settle(log.pk, event, at=NOON + timedelta(minutes=number))

    row = CommunicationLog.objects.get(pk=log.pk)
    assert row.status == "bounced"
    assert row.opened_at
    assert row.clicked_at
    assert row.complained_at


def test_a_message_that_never_went_is_not_settled_by_news():
    log = queue()

    assert not outcomes.settle(log.pk, Event.DELIVERED, at=NOON)

    log.refresh_from_db()
    assert log.status == "queued"


def test_news_of_an_attempt_that_seemed_to_fail_keep_it_from_going_again():
    log = sending()
    record(log, Outcome(Result.RETRY, "smtp", None, "502 Bad gateway"))

    assert outcomes.settle(log.pk, Event.DELIVERED, at=NOON)

    row = CommunicationLog.objects.get(pk=log.pk)
    assert (row.status, row.due_at, row.failure_reason, row.body) == ("delivered", None, None, "Hello")


def test_a_fact_leaves_the_state_alone():
    log = sending()
    record(log, Outcome(Result.SENT, "smtp", "id"))

    assert not outcomes.settle(log.pk, Event.CLICKED, at=NOON)

    row = CommunicationLog.objects.get(pk=log.pk)
    assert (row.status, row.clicked_at) == ("sent", NOON)


def record(log: CommunicationLog, outcome: Outcome, *, at: datetime = NOON) -> str | None:
    return outcomes.record(outcomes.end(log, outcome, earlier=[], began_at=NOON, now=at))


def sending() -> CommunicationLog:
    debt = factories.debt()
    return CommunicationLog.objects.create(
        debtor=debt.debtor, debt=debt, communication_type="email", status="sending", due_at=NOON + timedelta(seconds=60),
        attempts=1, address=debt.debtor.email, subject="S", body="Hello", provider="smtp",
    )  # fmt: skip
