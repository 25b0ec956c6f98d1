"""Agents who answer one message of a debtor at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q

from communications.callbacks import replies
from communications.models import CommunicationLog
from communications.notices import written
from communications.notices.written import Draft
from tests import factories
from tests.communications.conftest import NOON
from tests.races.threads import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)
AGENTS = 5


def race_of_answers() -> list[Exception]:
    """Let several agents answer one message; return the refusals."""
    debt = factories.debt()
    reply = CommunicationLog.objects.create(
        debtor=debt.debtor, communication_type="email", direction="inbound", status="received", body="May I pay half?"
    )
    # Ten years apart, so that no cap on contacts hides a second answer.
    agents = [(factories.agent("Agent"), NOON + timedelta(days=3650 * number)) for number in range(AGENTS)]

    def answer(by: Any, now: Any) -> None:
        draft = Draft(channel="email", subject="Re: Half", body="Yes.", reply=reply, asks_for_payment=False)
        message = written.message_of(draft, reply.debtor, by=by)
        replies.answer(reply, message, seen=None, by=by, when_allowed=True, now=now)

    return refusals(at_once(*[lambda one=one: answer(*one) for one in agents]))


def test_one_agent_answers_and_the_others_learn_who():
    refused = race_of_answers()
    (answer,) = CommunicationLog.objects.filter(direction="outbound")
    assert len(refused) == AGENTS - 1
    assert all(isinstance(error, replies.HandledBefore) and str(answer.written_by) in str(error) for error in refused)
    assert CommunicationLog.objects.get(direction="inbound").read_by == answer.written_by


@pytest.mark.deep
def test_without_the_condition_of_the_statement_several_answers_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replies, "as_seen", lambda _: Q())
    race_of_answers()
    assert CommunicationLog.objects.filter(direction="outbound").count() > 1
