"""An agent begins a call: the contact gate is asked, and one agent at a time has the call."""

from datetime import timedelta

import pytest

from communications.calls import records, start
from communications.models import CommunicationLog
from communications.outbox import history
from contact import policies
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


def decisions(task):
    return list(ContactDecision.objects.filter(message_id=task.pk, stage="calling").values_list("verdict", flat=True))


def test_an_allowed_call_records_the_agent_and_the_decision(task):
    agent = factories.agent("Agent")

    assert start.begin(task, by=agent, now=NOON).verdict == "allow"

    task.refresh_from_db()
    assert (task.begun_at, task.begun_by, task.outcome) == (NOON, agent, None)
    assert decisions(task) == ["allow"]


def test_a_call_at_night_is_postponed_and_stays_open(task):
    decision = start.begin(task, by=factories.agent("Agent"), now=NIGHT)

    task.refresh_from_db()
    assert (decision.verdict, task.begun_at, task.outcome) == ("postpone", None, None)
    assert decision.until is not None
    assert decisions(task) == ["postpone"]


def test_a_denied_call_is_withdrawn_with_the_reason(task):
    ContactPoint.objects.filter(value=task.address).update(
        calls_opted_out_at=NOON
    )  # past the rule, which takes calls back

    decision = start.begin(task, by=factories.agent("Agent"), now=NOON)

    task.refresh_from_db()
    assert (decision.verdict, task.begun_at, task.outcome) == ("deny", None, "not_called")
    assert task.outcome_notes.startswith("Withdrawn: suppressed")
    with pytest.raises(records.CallFinished):
        start.begin(task, by=factories.agent("Agent"), now=NOON)
    assert decisions(task) == ["deny"]


def test_one_agent_at_a_time_has_a_call_and_may_begin_it_again(task):
    first, second = factories.agent("Agent"), factories.agent("Agent")
    start.begin(task, by=first, now=NOON)
    with pytest.raises(start.CallTaken):
        start.begin(task, by=second, now=NOON + timedelta(minutes=1))
    task.refresh_from_db()
    assert (task.begun_by, decisions(task)) == (first, ["allow"])

    start.begin(task, by=first, now=NOON + timedelta(minutes=2))
    start.begin(task, by=second, now=NOON + timedelta(minutes=2) + start.TAKEN_FOR)
    task.refresh_from_db()
    assert task.begun_by == second


def test_only_a_call_task_is_begun():
    with pytest.raises(records.NotACallTask):
        start.begin(queue(channel="sms"), by=factories.agent("Agent"), now=NOON)
    assert not ContactDecision.objects.filter(stage="calling").exists()


def test_a_call_that_was_not_begun_was_not_made(task):
    agent = factories.agent("Agent")
    with pytest.raises(records.CallNotBegun):
        records.finish(task, outcome="no_answer", notes=None, by=agent, now=NOON)
    task.refresh_from_db()
    assert (task.outcome, task.outcome_by) == (None, None)

    records.finish(task, outcome="not_called", notes="They had paid.", by=agent, now=NOON)
    task.refresh_from_db()
    assert (task.outcome, task.outcome_by) == ("not_called", agent)


def test_a_preview_records_nothing(task):
    assert start.may_call(task, now=NIGHT).verdict == "postpone"
    assert decisions(task) == []


def test_a_call_counts_from_when_it_was_made_not_from_when_it_was_queued(task):
    later = NOON + timedelta(days=3)
    start.begin(task, by=factories.agent("Agent"), now=later)
    records.finish(task, outcome="right_party", notes=None, by=factories.agent("Agent"), now=later)

    next_call = CommunicationLog(debtor=task.debtor, communication_type="call_script")
    (found,) = history.requests([next_call], policies.current(), now=later)
    assert [contact.at for contact in found.history] == [later]
