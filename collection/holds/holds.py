"""Open holds: reasons to stop contact, payment requests or interest for a debt or a person during a period.

Holds are independent of each other: ending one ends no other. A queued message is checked against the holds again when
it is sent. Dates follow the debtor's calendar. Where several time zones are possible, a hold begins with the first of
them and ends with the last.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from collection.holds.reasons import POLICIES, Block
from collection.models import Debt, Hold, HoldEvent
from ddc.common.errors import DomainError, Invalid, Missing, OutOfRange
from debtors import calendars
from debtors.models import Debtor
from debtors.places import places, regions


class DebtorOrDebtRequired(Missing):
    field = "debtor"
    message = "Choose either a debtor or one debt."


class ReasonNotManual(DomainError):
    field = "reason"
    message = "Holds for deferrals and disputes follow the request or the dispute. Decide that instead."


class SourceRequired(Missing):
    field = "source"
    message = "The source is missing. Enter who informed us, and how."


class EndsBeforeStart(OutOfRange):
    field = "ends_on"
    message = "The end must be later than the start."


class LengthFixedByLaw(Invalid):
    code = "immutable"
    field = "ends_on"
    message = (
        "The law sets the length: 60 days for a breathing space, the treatment and 30 days for mental health. "
        "Leave this empty."
    )


class BlocksRequiredByLaw(OutOfRange):
    field = "blocks"

    def __init__(self, missing: Iterable[Block]) -> None:
        names = ", ".join(sorted(block.replace("_", " ") for block in missing))
        super().__init__(f"This reason must block these too: {names}.")


class AddressElsewhere(Invalid):
    """A moratorium covers residents of one part of the United Kingdom (for England and Wales, SI 2020/1311, reg. 1 and 24)."""

    field = "reason"

    def __init__(self, nations: frozenset[str]) -> None:
        names = " or ".join(sorted(regions.names()["GB", code] for code in nations))
        super().__init__(
            f"This moratorium requires an address in {names}. Correct the address or choose another reason."
        )


@transaction.atomic
def open_hold(
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
    """Open a hold for an agent. It is active from ``starts_on`` (default: today), also while it waits for approval.

    :param blocks: names of ``Block``; empty: the reason's default
    :param ends_on: the first day without it; None: open-ended, or as the law sets it
    :raises Forbidden: if ``by`` may not open holds
    :raises DebtorOrDebtRequired: if neither or both are given
    :raises ReasonNotManual: if the reason is a deferral or a dispute
    :raises SourceRequired: if the source is blank
    :raises LengthFixedByLaw: if the law sets another end
    :raises EndsBeforeStart: if it ends on or before its first day
    :raises BlocksRequiredByLaw: if a required block is missing
    :raises AddressElsewhere: if it is a moratorium and the address is elsewhere
    """
    require_permission(by, "collections.add_hold")
    person = debt.debtor if debt else debtor
    if person is None or (debt is not None and debtor is not None):
        raise DebtorOrDebtRequired
    policy = POLICIES[Hold.Reason(reason)]
    if not policy.is_manual:
        raise ReasonNotManual
    if not source.strip():
        raise SourceRequired
    starts_on = starts_on or min(calendars.days(person, at=now))
    if ends_on and policy.length_is_fixed and ends_on != policy.end_for(starts_on):
        raise LengthFixedByLaw
    ends_on = ends_on or policy.end_for(starts_on)
    if ends_on and ends_on <= starts_on:
        raise EndsBeforeStart
    chosen = frozenset(Block(name) for name in blocks) or policy.blocks
    if missing := policy.required_blocks - chosen:
        raise BlocksRequiredByLaw(missing)
    if policy.nations and not lives_in(person, policy.nations):
        raise AddressElsewhere(policy.nations)  # Of an address that tells no part, the agent's word counts.
    return create_hold(
        reason=reason,
        debtor=debtor,
        debt=debt,
        blocks=chosen,
        starts_on=starts_on,
        ends_on=ends_on,
        review_on=review_on or policy.review_for(starts_on),
        source=source,
        by=by,
        approved_by=by if policy.needs_approval and by and by.has_perm("collections.change_hold") else None,
        now=now,
        why=why,
    )


def create_hold(
    *,
    reason: str,
    blocks: Collection[Block] | None = None,
    by: Agent | None,
    now: datetime,
    why: str = "",
    **values: Any,
) -> Hold:
    """Write a hold and its first event, without checks: for the domain function that has decided on it.

    Without ``starts_on`` it begins today, by the first clock where the debtor may be.
    """
    blocked = POLICIES[Hold.Reason(reason)].blocks if blocks is None else blocks
    hold = Hold(
        reason=reason, by=by, created_at=now, **{f"blocks_{block}": block in blocked for block in Block}, **values
    )
    hold.starts_on = hold.starts_on or min(calendars.days(hold.person, at=now))
    hold.save(force_insert=True)
    record_events([hold], HoldEvent.Kind.OPENED, by=by, now=now, why=why)
    return hold


def record_events(
    holds: Iterable[Hold], kind: HoldEvent.Kind, *, by: Agent | None, now: datetime, why: str = ""
) -> None:
    """Record the same event for several holds in one statement."""
    HoldEvent.objects.bulk_create(
        HoldEvent(hold=hold, kind=kind, at=now, by=by, why=why, ends_on=hold.ends_on) for hold in holds
    )


def lives_in(debtor: Debtor, nations: frozenset[str]) -> bool:
    """Tell whether a debtor may live in one of some parts of the United Kingdom, such as ``ENG``.

    An address that tells no part may be in any.
    """
    place = places.find(debtor.country_code or "GB", debtor.region_state, debtor.city, debtor.postal_code)
    return place.country == "GB" and (not place.regions or bool(place.regions & nations))
