"""A call without a task counts for the contact rules from the time when it was made."""

from datetime import timedelta

import pytest

from communications.calls import records
from communications.models import CommunicationLog
from communications.outbox import may_go
from contact.engine.decision import ReasonCode
from debtors import phones
from debtors.models import ContactPoint
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db
PHONE, ELSEWHERE = "+12015550123", "+12015550188"
DAY = timedelta(days=1)


@pytest.fixture
def debt():
    return factories.debt(debtor=factories.debtor(country_code="US", region_state="NJ", mobile_phone=PHONE))


@pytest.fixture
def at():
    """Noon in New Jersey."""
    return NOON + timedelta(hours=5)


def note(owed, now, **told):
    told = {"direction": "inbound", "outcome": "right_party", "number": PHONE, "by": factories.agent("Agent")} | told
    return records.record_call(owed.debtor, now=now, **told)


def against(debt, at):
    log = CommunicationLog(debtor=debt.debtor, debt=debt, communication_type="call_script")
    (found,) = may_go.gate_inputs([log], now=at)
    return {reason.code for reason in found.decide(at).reasons}


def test_a_call_is_recorded_with_its_caller_time_and_outcome(debt, at):
    agent = factories.agent("Agent")
    call = note(
        debt, at, debt=debt, outcome="promise", notes="On Friday", at=at - DAY, number=f" {ELSEWHERE}", by=agent
    )

    call.refresh_from_db()
    assert (call.debtor, call.debt, call.direction, call.status) == (debt.debtor, debt, "inbound", "received")
    assert (call.begun_at, call.begun_by, call.outcome_at, call.outcome_by) == (at - DAY, agent, at, agent)
    assert (call.outcome, call.outcome_notes, call.address) == ("promise", "On Friday", ELSEWHERE)
    assert call.read_by == agent


def test_the_cooling_off_period_starts_when_the_call_was_made(debt, at):
    note(debt, at, at=at - DAY)

    assert against(debt, at) == against(debt, at + 5 * DAY) == {ReasonCode.COOLING_OFF}
    assert against(debt, at + 6 * DAY) == set()


def test_a_conversation_about_one_debt_does_not_block_others_and_one_about_none_blocks_all(debt, at):
    other = factories.debt(debtor=debt.debtor)
    note(debt, at, debt=debt)
    assert (against(debt, at), against(other, at)) == ({ReasonCode.COOLING_OFF}, set())

    note(debt, at)
    assert against(other, at) == {ReasonCode.COOLING_OFF}


def test_a_voicemail_of_the_debtor_starts_no_cooling_off_period(debt, at):
    note(debt, at, outcome="voicemail")
    assert against(debt, at) == set()


def test_outbound_calls_count_as_attempts_and_inbound_ones_do_not(debt, at):
    for _ in range(7):
        note(debt, at, outcome="voicemail")
    assert against(debt, at) == set()
    for _ in range(7):
        note(debt, at, direction="outbound", outcome="no_answer")
    assert against(debt, at) == {ReasonCode.TOO_MANY}


def test_an_opt_out_suppresses_the_number_that_the_debtor_named(debt, at):
    note(debt, at, outcome="no_calls", number=ELSEWHERE)

    stopped = ContactPoint.objects.filter(calls_suppressed=True)
    assert [(point.value, str(point.calls_opted_out_source)[:5]) for point in stopped] == [(ELSEWHERE, "Call ")]


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"at": NOON + DAY}, records.CallInTheFuture),
        ({"outcome": "no_answer"}, records.InvalidOutcome),
        ({"outcome": "not_called"}, records.InvalidOutcome),
        ({"outcome": "not_called", "direction": "outbound"}, records.InvalidOutcome),
        ({"outcome": "no_calls", "number": " "}, records.NumberRequired),
        ({"outcome": "wrong_number", "number": None}, records.NumberRequired),
        ({"number": "12"}, phones.InvalidPhone),
    ],
)
def test_an_impossible_call_is_refused(debt, told, refusal):
    with pytest.raises(refusal):
        note(debt, NOON, **told)
    assert not CommunicationLog.objects.exists()
    assert not ContactPoint.objects.filter(calls_suppressed=True).exists()


def test_a_debt_of_another_debtor_is_refused(debt):
    with pytest.raises(records.DebtOfAnotherDebtor):
        note(debt, NOON, debt=factories.debt())
    assert not CommunicationLog.objects.exists()
