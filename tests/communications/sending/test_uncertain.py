"""Uncertain messages: an agent resolves each once, with a reason."""

import pytest

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, UncertainResolution
from communications.sending import evidence, uncertain
from communications.sending.senders import Senders
from ddc.common.errors import Forbidden
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    return factories.agent("Agent")


@pytest.fixture
def uncertain_message(monkeypatch):
    """Return a function that makes an uncertain message."""

    def make(**values):
        log = queue(**values)
        with monkeypatch.context() as patch:
            patch.setattr(Senders, "send", lambda *_: Outcome(Result.UNCERTAIN, "smtp", reason_text="It hung up."))
            assert drain().statuses == {"uncertain": 1}
        log.refresh_from_db()
        return log

    return make


def test_an_agent_confirms_that_a_message_was_sent(uncertain_message, agent):
    log = uncertain_message()

    uncertain.confirm(log, by=agent, reason=" They answered it. ", now=NOON)

    log.refresh_from_db()
    assert (log.status, log.sent_at, log.failure_reason) == ("sent", NOON, None)
    made = log.uncertain_resolution
    assert (made.decision, made.by, made.at, made.reason) == ("sent", agent, NOON, "They answered it.")
    assert not list(evidence.differences())


def test_sending_again_queues_a_new_message(uncertain_message, agent, smtp):
    log = uncertain_message(subject="Hi", body="You owe {{debt_amount}}")

    made = uncertain.send_again(log, by=agent, reason="They got nothing.", now=NOON)

    log.refresh_from_db()
    again = made.replacement
    assert log.status == "failed"
    assert log.body.startswith("You owe £1,000.00")
    assert again.pk != log.pk
    assert (again.status, again.body, again.debtor, again.debt) == (
        "queued",
        "You owe {{debt_amount}}",
        log.debtor,
        log.debt,
    )
    assert drain().statuses == {"sent": 1}
    assert smtp.message_ids == [f"<{again.pk}@localhost>"]


def test_sending_again_asks_the_contact_gate(uncertain_message, agent):
    log = uncertain_message()
    uncertain.send_again(log, by=agent, reason="x", now=NOON)
    log.debt.current_status = "disputed"
    log.debt.save()

    assert drain().statuses == {"blocked": 1}


@pytest.mark.parametrize("rule", [uncertain.confirm, uncertain.send_again])
def test_a_resolution_needs_a_reason_and_the_permission(uncertain_message, agent, rule):
    log = uncertain_message()

    with pytest.raises(uncertain.ReasonRequired):
        rule(log, by=agent, reason=" ", now=NOON)
    with pytest.raises(Forbidden):
        rule(log, by=factories.agent("Auditor"), reason="x", now=NOON)

    log.refresh_from_db()
    assert log.status == "uncertain"
    assert not UncertainResolution.objects.exists()
    assert CommunicationLog.objects.count() == 1


def test_a_second_resolution_is_refused(uncertain_message, agent):
    log = uncertain_message()
    uncertain.confirm(log, by=agent, reason="x", now=NOON)

    with pytest.raises(uncertain.NotUncertain):
        uncertain.send_again(log, by=agent, reason="x", now=NOON)

    assert CommunicationLog.objects.count() == 1
    assert UncertainResolution.objects.get().decision == "sent"


def test_an_expired_message_is_not_sent_again(uncertain_message, agent):
    log = uncertain_message(body="Code", expires_at=NOON.replace(hour=13), template=None)

    with pytest.raises(uncertain.Expired):
        uncertain.send_again(log, by=agent, reason="x", now=NOON)

    log.refresh_from_db()
    assert log.status == "uncertain"
