"""The contact gate: so many messages to everybody, decided by one process at one moment."""

import time
from datetime import datetime
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.contact import decisions, gate
from communications.models import CommunicationLog, ContactDecision
from debtors.channels import Channel

#: What a worker has in memory before long: the laws' calendars, mostly. Other messages than those that are measured.
_BEFORE = 1000
_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.CALL_SCRIPT)


def measure(count: int, *, at: datetime) -> dict[str, Any]:
    """Fetch the facts of messages, decide and keep what was decided; tell how many a second, and what came out."""
    debts = Debt.objects.select_related("debtor").order_by("id")[: count + _BEFORE]
    logs = [CommunicationLog(debtor=d.debtor, debt=d, communication_type=_CHANNELS[n % 3]) for n, d in enumerate(debts)]
    for one in decisions.ask(logs[:_BEFORE], now=at):
        gate.decide(one.facts, one.policies, at)
    logs = logs[_BEFORE:]
    began = time.perf_counter()
    asked = decisions.ask(logs, now=at)
    fetched = time.perf_counter()
    decided = [(log, one.facts, gate.decide(one.facts, one.policies, at)) for log, one in zip(logs, asked, strict=True)]
    done = time.perf_counter()
    with transaction.atomic():
        decisions.keep(decided, at=at, stage=ContactDecision.Stage.ASKED)
        transaction.set_rollback(True)
    kept = time.perf_counter()
    said: dict[str, int] = {}
    for _, _, decision in decided:
        said[decision.verdict.value] = said.get(decision.verdict.value, 0) + 1
    return {
        "count": len(logs),
        "alone": len(logs) / (done - fetched),
        "with_facts": len(logs) / (done - began),
        "kept": len(logs) / (kept - began),
        "said": said,
    }
