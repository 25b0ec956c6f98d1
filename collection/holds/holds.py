"""Placing holds: every reason to leave a debt or a person alone for a time.

Holds add up: each blocks what it blocks for as long as it lasts, and ending one ends no other. Whatever waits to be sent is
asked about them again at the moment of sending. Days are the debtor's own, by every clock where they may be: a hold begins
with the first of these clocks, and is over with the last.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from collection.holds.reasons import TERMS, Block
from collection.models import Debt, Hold, HoldEvent
from ddc.common.errors import DomainError
from debtors import calendars
from debtors.models import Debtor

#: Where the Debt Respite Scheme doesn't reach, though the country is the same.
_ELSEWHERE = ("scotland", "northern ireland")


class PersonOrDebt(DomainError):
    """A hold is on a person or on a debt."""

    status = 422
    code = "required"
    field = "debtor"
    message = "Choose a debtor, or one debt: one of the two."


class HasItsOwnWay(DomainError):
    """What other rules place, they end."""

    field = "reason"
    message = "A deferral is granted on its request, and a dispute is entered and decided as one."


class SourceMissing(DomainError):
    """Years later somebody will ask who told us."""

    status = 422
    code = "required"
    field = "source"
    message = "Tell who told us, and how."


class EndsBeforeItStarts(DomainError):
    status = 422
    code = "range"
    field = "ends_on"
    message = "It ends after it starts."


class LengthIsLaw(DomainError):
    """How long a moratorium lasts, the regulations say."""

    status = 422
    code = "immutable"
    field = "ends_on"
    message = (
        "A breathing space lasts 60 days, one for mental health 30 days longer than the treatment: leave this empty."
    )


class LawDemandsMore(DomainError):
    """What the law stops can't be let through."""

    status = 422
    code = "range"
    field = "blocks"

    def __init__(self, lacking: Iterable[Block]) -> None:
        words = ", ".join(sorted(block.replace("_", " ") for block in lacking))
        super().__init__(f"For this reason it has to block {words} too.")


class NotInEnglandOrWales(DomainError):
    """The Debt Respite Scheme is for who lives in England or Wales (SI 2020/1311, reg. 1 and 24)."""

    status = 422
    field = "reason"
    message = "A breathing space is for who lives in England or Wales; by their address they don't."


@transaction.atomic
def place(
    *,
    reason: str,
    debtor: Debtor | None = None,
    debt: Debt | None = None,
    source: str,
    by: Agent | None,
    now: datetime,
    blocks: Collection[str] = (),
    starts_on: date | None = None,
    ends_on: date | None = None,
    review_on: date | None = None,
    why: str = "",
) -> Hold:
    """Place a hold by hand. It counts at once, unless ``starts_on`` says later; what needs approval, until it is ended.

    :param blocks: names of ``Block``; none: what the reason blocks
    :param ends_on: the first day without it; None: open, or as the law says
    :raises Forbidden: if ``by`` may not place holds
    :raises PersonOrDebt: if it is on neither or both
    :raises HasItsOwnWay: if it is for a deferral or a dispute
    :raises SourceMissing: if nobody told us
    :raises LengthIsLaw: if the reason's law says when it ends
    :raises EndsBeforeItStarts: if it would block nothing
    :raises LawDemandsMore: if the law demands that it blocks more
    :raises NotInEnglandOrWales: if it is a moratorium, and they live elsewhere
    """
    require_permission(by, "collections.add_hold")
    whose = debt.debtor if debt else debtor
    if whose is None or (debt is not None and debtor is not None):
        raise PersonOrDebt
    terms = TERMS[Hold.Reason(reason)]
    if not terms.by_hand:
        raise HasItsOwnWay
    if not source.strip():
        raise SourceMissing
    starts_on = starts_on or min(calendars.days(whose, at=now))
    if ends_on and (terms.lasts or terms.is_open) and ends_on != terms.end_of(starts_on):
        raise LengthIsLaw
    ends_on = ends_on or terms.end_of(starts_on)
    if ends_on and ends_on <= starts_on:
        raise EndsBeforeItStarts
    chosen = frozenset(Block(name) for name in blocks) or terms.blocks
    if lacking := terms.at_least - chosen:
        raise LawDemandsMore(lacking)
    if terms.lasts or terms.is_open:
        _require_england_or_wales(whose)
    return put(
        reason=reason,
        debtor=debtor,
        debt=debt,
        blocks=chosen,
        starts_on=starts_on,
        ends_on=ends_on,
        review_on=review_on or terms.review_of(starts_on),
        source=source,
        by=by,
        approved_by=by if terms.needs_approval and by and by.has_perm("collections.change_hold") else None,
        now=now,
        why=why,
    )


def put(
    *,
    reason: str,
    blocks: Collection[Block] | None = None,
    by: Agent | None,
    now: datetime,
    why: str = "",
    **values: Any,
) -> Hold:
    """Write a hold down, with its first event, for the rule that has decided on it.

    Without ``starts_on`` it begins at once, by the first clock that shows a day.
    """
    blocked = TERMS[Hold.Reason(reason)].blocks if blocks is None else blocks
    hold = Hold(
        reason=reason, by=by, created_at=now, **{f"blocks_{block}": block in blocked for block in Block}, **values
    )
    hold.starts_on = hold.starts_on or min(calendars.days(hold.whose, at=now))
    hold.save(force_insert=True)
    note([hold], HoldEvent.Kind.PLACED, by=by, now=now, why=why)
    return hold


def note(holds: Iterable[Hold], kind: HoldEvent.Kind, *, by: Agent | None, now: datetime, why: str = "") -> None:
    """Keep what was done with some holds, in one statement."""
    HoldEvent.objects.bulk_create(
        HoldEvent(hold=hold, kind=kind, at=now, by=by, why=why, ends_on=hold.ends_on) for hold in holds
    )


def _require_england_or_wales(debtor: Debtor) -> None:
    elsewhere = (debtor.region_state or "").strip().casefold() in _ELSEWHERE
    if elsewhere or (debtor.country_code or "GB") != "GB":
        raise NotInEnglandOrWales
