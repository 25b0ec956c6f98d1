"""What if a policy had applied: decide again on the messages of a past day under a draft policy."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from contact import policies
from contact.decision_json import facts_from_json
from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import Decision, Verdict
from contact.engine.policies import Policy
from contact.models import ContactDecision, Purpose
from ddc.common.days import agency_zone

#: How many decisions of the day, the newest, are repeated, and how many of the changed ones are shown.
MOST, SHOWN = 2_000, 10
#: How far back a day with messages is searched for.
LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True)
class Change:
    """One message with another verdict under the draft policy."""

    before: ContactDecision
    after: Decision


@dataclass
class WhatIf:
    """The comparison for ``messages`` of one day (UTC); ``day`` is None if there were none."""

    day: date | None = None
    messages: int = 0
    before: Counter[Verdict] = field(default_factory=Counter)
    after: Counter[Verdict] = field(default_factory=Counter)
    #: Reasons under the draft policy, by verdict.
    reasons: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    changed: int = 0
    sample: list[Change] = field(default_factory=list)


def compare(draft: Policy, *, today: date) -> WhatIf:
    """Compare the decisions of the last day with messages before ``today`` with those under ``draft``.

    The facts are those of the recorded decisions. The draft replaces its rule's newest version.
    """
    others = [policy for policy in policies.current().all if policy.name != draft.name]
    drafted = PolicySet([*others, replace(draft, valid_from=date.min, valid_to=None)])
    found = WhatIf()
    for row in _decisions(today):
        found.day = row.at.astimezone(agency_zone()).date()
        _add(found, row, gate.decide(facts_from_json(row.facts), drafted, row.at))
    return found


def _decisions(today: date) -> Sequence[ContactDecision]:
    """Return the last decision on each message of the last day that had any."""
    midnight = datetime.combine(today, time.min, agency_zone())
    sending = ContactDecision.objects.filter(stage=ContactDecision.Stage.SENDING, purpose=Purpose.COLLECTION)
    newest = sending.filter(at__lt=midnight, at__gte=midnight - LOOK_BACK).order_by("-at", "-id").first()
    if newest is None:
        return []
    start = datetime.combine(newest.at.astimezone(agency_zone()).date(), time.min, agency_zone())
    last: dict[uuid.UUID, ContactDecision] = {}
    for row in sending.filter(at__gte=start, at__lt=midnight).order_by("-at", "-id")[:MOST]:
        last.setdefault(row.message_id, row)
    return list(last.values())


def _add(found: WhatIf, before: ContactDecision, after: Decision) -> None:
    found.messages += 1
    found.before[Verdict(before.verdict)] += 1
    found.after[after.verdict] += 1
    for code in {reason.code for reason in after.reasons}:
        found.reasons[after.verdict, code.value] += 1
    if after.verdict != before.verdict:
        found.changed += 1
        if len(found.sample) < SHOWN:
            found.sample.append(Change(before, after))
