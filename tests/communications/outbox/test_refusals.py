"""The reasons of a message that must not go, as they are stored."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from communications.models import CommunicationLog
from communications.outbox import refusals
from contact.engine.decision import Decision, Reason, ReasonCode, Verdict
from tests.communications.conftest import NOON
from tests.communications.messages import queue

pytestmark = pytest.mark.django_db
UNTIL = NOON + timedelta(hours=9)


def one(message: CommunicationLog, decision: Decision) -> None:
    assert refusals.apply(message, decision, now=NOON)


def several(message: CommunicationLog, decision: Decision) -> None:
    CommunicationLog.objects.update(status="claimed")
    refusals.apply_all([(message, decision)], now=NOON)


@pytest.mark.parametrize("apply", [one, several])
@pytest.mark.parametrize(("verdict", "status"), [(Verdict.POSTPONE, "postponed"), (Verdict.DENY, "blocked")])
def test_more_reasons_than_a_message_can_store_are_cut(
    apply: Callable[[CommunicationLog, Decision], None], verdict: Verdict, status: str
):
    reasons = tuple(Reason(ReasonCode.OUTSIDE_WINDOW, f"It is too late by law {n}. {'x' * 90}") for n in range(9))
    message = queue()

    apply(message, Decision(verdict, reasons, UNTIL if verdict == Verdict.POSTPONE else None))

    message.refresh_from_db()
    assert (message.status, len(message.failure_reason or "")) == (status, 500)
    assert (message.failure_reason or "").startswith("outside_window: It is too late by law 0.")


def test_what_several_policies_demand_is_told_once():
    early = [Reason(ReasonCode.OUTSIDE_WINDOW, "It is 07:50.", policy=name) for name in ("US/hours", "US-NY/hours")]
    missing = [Reason(ReasonCode.CONSENT_MISSING, "No consent.", policy=name) for name in ("US/sms", "US-NY/sms")]

    decision = Decision(Verdict.DENY, (*early, *missing))

    assert decision.reason == "consent_missing: No consent. outside_window: It is 07:50."
