"""An agent begins a call: the gate is asked at that moment, and one agent calls at a time."""

from datetime import timedelta

import pytest

from communications.calls import records, start
from communications.models import CommunicationLog
from communications.outbox import history
from contact.models import ContactDecision
from debtors.models import ContactPoint
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db

NIGHT = NOON + timedelta(hours=11)


@pytest.fixture
def task():
    log = queue(channel="call_script", template=factories.template(communication_type="call_script", subject=None))
    assert drain().statuses == {"sent": 1}
    log.refresh_from_db()
    return log


def told(task):
    return list(ContactDecision.objects.filter(message_id=task.pk, stage="calling").values_list("verdict", flat=True))


def test_an_agent_who_may_call_is_noted_with_what_the_gate_said(task):
    agent = factories.agent("Agent")

    assert start.begin(task, by=agent, now=NOON).verdict == "allow"

    task.refresh_from_db()
    assert (task.begun_at, task.begun_by, task.outcome) == (NOON, agent, None)
    assert told(task) == ["allow"]


def test_at_night_it_is_not_begun_and_stays_to_be_made(task):
    decision = start.begin(task, by=factories.agent("Agent"), now=NIGHT)

    task.refresh_from_db()
    assert (decision.verdict, task.begun_at, task.outcome) == ("postpone", None, None)
    assert decision.until is not None
    assert told(task) == ["postpone"]


def test_what_is_denied_for_good_is_taken_back_with_the_reason(task):
    ContactPoint.objects.filter(value=task.address).update(
        calls_opted_out_at=NOON
    )  # past the rule, which takes calls back

    decision = start.begin(task, by=factories.agent("Agent"), now=NOON)

    task.refresh_from_db()
    assert (decision.verdict, task.begun_at, task.outcome) == ("deny", None, "not_called")
    assert task.outcome_notes.startswith("Withdrawn: suppressed")
    with pytest.raises(records.CallFinished):
        start.begin(task, by=factories.agent("Agent"), now=NOON)
    assert told(task) == ["deny"]


def test_one_agent_calls_at_a_time_and_who_began_may_begin_again(task):
    first, second = factories.agent("Agent"), factories.agent("Agent")
    start.begin(task, by=first, now=NOON)
    with pytest.raises(start.CallTaken):
        start.begin(task, by=second, now=NOON + timedelta(minutes=1))
    task.refresh_from_db()
    assert (task.begun_by, told(task)) == (first, ["allow"])

    start.begin(task, by=first, now=NOON + timedelta(minutes=2))
    start.begin(task, by=second, now=NOON + timedelta(minutes=2) + start.TAKEN_FOR)
    task.refresh_from_db()
    assert task.begun_by == second


def test_what_is_no_call_of_an_agent_is_not_begun():
    with pytest.raises(records.NotACallTask):
        start.begin(queue(channel="sms"), by=factories.agent("Agent"), now=NOON)
    assert not ContactDecision.objects.filter(stage="calling").exists()


def test_what_nobody_began_was_not_made(task):
    agent = factories.agent("Agent")
    with pytest.raises(records.CallNotBegun):
        records.finish(task, outcome="no_answer", notes=None, by=agent, now=NOON)
    task.refresh_from_db()
    assert (task.outcome, task.outcome_by) == (None, None)

    records.finish(task, outcome="not_called", notes="They had paid.", by=agent, now=NOON)
    task.refresh_from_db()
    assert (task.outcome, task.outcome_by) == ("not_called", agent)


def test_looking_keeps_nothing(task):
    assert start.may_call(task, now=NIGHT).verdict == "postpone"
    assert told(task) == []


def test_a_call_counts_from_when_it_was_made_and_not_from_when_it_was_asked_for(task):
    later = NOON + timedelta(days=3)
    start.begin(task, by=factories.agent("Agent"), now=later)
    records.finish(task, outcome="right_party", notes=None, by=factories.agent("Agent"), now=later)

    next_call = CommunicationLog(debtor=task.debtor, communication_type="call_script")
    (found,) = history.requests([next_call], by_address=False, now=later)
    assert [contact.at for contact in found.history] == [later]
