"""Measure the contact gate: decisions on many messages by one process."""

import time
from datetime import datetime
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.models import CommunicationLog
from communications.outbox import may_go
from contact import decisions
from debtors.channels import Channel

#: Messages decided before the measurement, to load what a worker soon has in memory, such as the calendars of holidays.
_WARM_UP = 1000
_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.CALL_SCRIPT)


def measure(count: int, *, at: datetime) -> dict[str, Any]:
    """Fetch the facts of messages, decide, and store the decisions; return the rates and the verdicts."""
    debts = Debt.objects.select_related("debtor").order_by("id")[: count + _WARM_UP]
    logs = [CommunicationLog(debtor=d.debtor, debt=d, communication_type=_CHANNELS[n % 3]) for n, d in enumerate(debts)]
    for one in may_go.gate_inputs(logs[:_WARM_UP], now=at):
        one.decide(at)
    logs = logs[_WARM_UP:]
    began = time.perf_counter()
    asked = may_go.gate_inputs(logs, now=at)
    fetched = time.perf_counter()
    decided = [(one, one.decide(at)) for one in asked]
    done = time.perf_counter()
    with transaction.atomic():
        decisions.record(decided, stage=decisions.Stage.ASKED, now=at)
        transaction.set_rollback(True)
    stored = time.perf_counter()
    verdicts: dict[str, int] = {}
    for _, decision in decided:
        verdicts[decision.verdict.value] = verdicts.get(decision.verdict.value, 0) + 1
    return {
        "count": len(logs),
        "decided": len(logs) / (done - fetched),
        "with_facts": len(logs) / (done - began),
        "stored": len(logs) / (stored - began),
        "verdicts": verdicts,
    }
