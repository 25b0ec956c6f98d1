"""What became of the messages that a run queued."""

from dataclasses import dataclass

from django.db import connection

from communications.models import MessageStatus
from contact.engine.decision import ReasonCode
from strategy.models import StrategyRun

_CODES = {code.value for code in ReasonCode}
# A blocked message's reason starts with the code in lower case.
_OUTCOMES = """
    SELECT message.status, CASE WHEN message.status = %s THEN upper(split_part(message.failure_reason, ':', 1)) END, count(*)
    FROM strategy_step AS step JOIN communication_log AS message ON message.id = step.message_id
    WHERE step.run_id = %s GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


@dataclass(frozen=True)
class Outcome:
    """A number of messages with one status, and for blocked ones with one reason code."""

    status: str
    code: str | None
    count: int


def outcomes(run: StrategyRun) -> list[Outcome]:
    """Count the messages of a run by their status now, the most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, [MessageStatus.BLOCKED.value, run.pk])
        return [Outcome(status, code if code in _CODES else None, count) for status, code, count in cursor.fetchall()]
