"""What the messages of a past day would have met under another policy, before anybody makes it count."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from communications.contact import circumstances, decisions, gate, policy_book
from communications.contact.gate import Decision, Facts, Verdict
from communications.contact.rules import Policies, Policy
from communications.models import CommunicationLog, ContactDecision

#: How many decisions of the day, the newest, are made again, and how many of those that come out otherwise are shown.
MOST, SHOWN = 2_000, 10
#: How far back a day with messages is looked for.
LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True)
class Change:
    """One message that would have met something else. ``kept`` is what was decided, ``decision`` what would have been."""

    kept: ContactDecision
    decision: Decision


@dataclass
class Rehearsal:
    """What came of it: ``looked_at`` messages of a day in UTC; None if there was none with any."""

    day: date | None = None
    looked_at: int = 0
    was: Counter[Verdict] = field(default_factory=Counter)
    would_be: Counter[Verdict] = field(default_factory=Counter)
    #: Why, of what would have been put off or refused.
    reasons: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    changed: int = 0
    sample: list[Change] = field(default_factory=list)


def rehearse(draft: Policy, *, today: date) -> Rehearsal:
    """Decide anew on the messages of the last day before ``today`` that had any, as if ``draft`` had counted then.

    By the facts that were kept. What nobody had asked for then, such as consent where none was needed, is looked up as it is
    known now. The number of queries is fixed.
    """
    kept = _decisions(today)
    if not kept:
        return Rehearsal()
    policies = _with(draft)
    logs = CommunicationLog.objects.select_related("debtor", "debt", "template").in_bulk([row.log_id for row in kept])
    found = Rehearsal(day=kept[0].at.date())
    rows = [row for row in kept if row.log_id in logs]
    asked = [logs[row.log_id] for row in rows]
    fresh = circumstances.gather(asked, circumstances.rules_of(asked, policies), now=min(row.at for row in kept))
    for row, now_known in zip(rows, fresh, strict=True):
        facts = _completed(decisions.facts_from_json(row.facts), now_known)
        _add(found, row, gate.decide(facts, policies, row.at))
    return found


def _decisions(today: date) -> Sequence[ContactDecision]:
    """Return the last decision on each message of the last day that had any, of the newest ones."""
    midnight = datetime.combine(today, time.min, UTC)
    sending = ContactDecision.objects.filter(stage=ContactDecision.Stage.SENDING, purpose="collection")
    newest = sending.filter(at__lt=midnight, at__gte=midnight - LOOK_BACK).order_by("-at", "-id").first()
    if newest is None:
        return []
    start = datetime.combine(newest.at.astimezone(UTC).date(), time.min, UTC)
    last: dict[uuid.UUID, ContactDecision] = {}
    for row in sending.filter(at__gte=start, at__lt=midnight).order_by("-at", "-id")[:MOST]:
        last.setdefault(row.log_id, row)
    return list(last.values())


def _with(draft: Policy) -> Policies:
    """Return today's policies with a draft in the place of its rule's newest version, as if it had always counted."""
    others = [policy for policy in policy_book.current().all if policy.name != draft.name]
    return Policies([*others, replace(draft, valid_from=date.min, valid_to=None)])


def _completed(kept: Facts, known: Facts) -> Facts:
    """Return the kept facts with what was not asked for then, as it is known now."""
    digest = decisions.digest_of
    history = tuple(replace(contact, address=digest(contact.address)) for contact in known.history)
    return replace(
        kept,
        history=kept.history or history,
        consented_at=kept.consented_at or known.consented_at,
        notice_missing=kept.notice_missing or (known.notice_missing and not kept.notice_period_ends),
        is_notice=kept.is_notice or known.is_notice,
        overshadows=kept.overshadows or known.overshadows,
        notice_period_ends=kept.notice_period_ends or known.notice_period_ends,
    )


def _add(found: Rehearsal, row: ContactDecision, decision: Decision) -> None:
    found.looked_at += 1
    found.was[Verdict(row.verdict)] += 1
    found.would_be[decision.verdict] += 1
    for code in {reason.code for reason in decision.reasons}:
        found.reasons[decision.verdict, code.value] += 1
    if decision.verdict != row.verdict:
        found.changed += 1
        if len(found.sample) < SHOWN:
            found.sample.append(Change(row, decision))
