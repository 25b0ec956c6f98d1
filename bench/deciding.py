"""Measure the contact gate: decisions on many messages by one process."""

import time
from datetime import datetime
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.contact import decisions, gate
from communications.models import CommunicationLog, ContactDecision
from debtors.channels import Channel

#: Messages decided before the measurement, to load what a worker soon has in memory, such as the calendars of holidays.
_WARM_UP = 1000
_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.CALL_SCRIPT)


def measure(count: int, *, at: datetime) -> dict[str, Any]:
    """Fetch the facts of messages, decide, and store the decisions; return the rates and the verdicts."""
    debts = Debt.objects.select_related("debtor").order_by("id")[: count + _WARM_UP]
    logs = [CommunicationLog(debtor=d.debtor, debt=d, communication_type=_CHANNELS[n % 3]) for n, d in enumerate(debts)]
    for one in decisions.ask(logs[:_WARM_UP], now=at):
        gate.decide(one.facts, one.policies, at)
    logs = logs[_WARM_UP:]
    began = time.perf_counter()
    asked = decisions.ask(logs, now=at)
    fetched = time.perf_counter()
    decided = [(log, one.facts, gate.decide(one.facts, one.policies, at)) for log, one in zip(logs, asked, strict=True)]
    done = time.perf_counter()
    with transaction.atomic():
        decisions.keep(decided, at=at, stage=ContactDecision.Stage.ASKED)
        transaction.set_rollback(True)
    stored = time.perf_counter()
    verdicts: dict[str, int] = {}
    for _, _, decision in decided:
        verdicts[decision.verdict.value] = verdicts.get(decision.verdict.value, 0) + 1
    return {
        "count": len(logs),
        "decided": len(logs) / (done - fetched),
        "with_facts": len(logs) / (done - began),
        "stored": len(logs) / (stored - began),
        "verdicts": verdicts,
    }
