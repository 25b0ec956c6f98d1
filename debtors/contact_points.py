"""Addresses: which must not be used any more and why, what was agreed there, and what their owners take back.

What is said of an address counts for each row that has it, whoever's it is. Two words of its owner, no more and yes again, may
come in any order: the later one counts.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.dispatch import Signal

from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from debtors.models import ContactPoint, ContactPointQuerySet, Debtor, Medium, StopReason

#: An address must not be used any more; ``value``, ``medium``, ``reason`` and ``now`` come along. Sent within the transaction.
stopped = Signal()

Kind = ContactPoint.Kind
_HOW_LENGTH = 255
#: By the reason, the columns of when and how.
_COLUMNS = {
    StopReason.BOUNCED: "bounced",
    StopReason.COMPLAINED: "complained",
    StopReason.WRONG_NUMBER: "wrong_number",
}


class NotYetAgreed(DomainError):
    """Consent is given before it counts."""

    status = 422
    field = "consented_at"
    message = "They can't have agreed in the future."


class AgreedSince(DomainError):
    """The latest word is kept."""

    field = "consented_at"
    message = "They have agreed since then; the later date is kept."


def kind_of(medium: str) -> ContactPoint.Kind:
    """Return what kind of address a medium uses."""
    return Kind.EMAIL if medium == Medium.EMAIL else Kind.PHONE


def rows(value: str, medium: str) -> ContactPointQuerySet:
    """Return every row that an address has: one for each debtor who has it or had it."""
    return ContactPoint.objects.filter(kind=kind_of(medium), value=_form(value, medium))


def suppressed(addresses: dict[Medium, set[str]]) -> set[tuple[str, str]]:
    """Return which of these must not be used, as (medium, address), in one query for all."""
    wanted = Q()
    for medium, some in addresses.items():
        wanted |= Q(kind=kind_of(medium), value__in=some)
    if not wanted:
        return set()
    points = ContactPoint.objects.filter(wanted).filter(Q(messages_stopped=True) | Q(calls_stopped=True))
    found: set[tuple[str, str]] = set()
    for kind, value, messages, calls in points.values_list("kind", "value", "messages_stopped", "calls_stopped"):
        if messages:
            found.add((Medium.EMAIL if kind == Kind.EMAIL else Medium.SMS, value))
        if calls:
            found.add((Medium.VOICE, value))
    return {(Medium(medium), value) for medium, value in found if value in addresses.get(Medium(medium), ())}


@transaction.atomic
def suppress(value: str, *, medium: Medium, reason: StopReason, how: str, now: datetime) -> bool:
    """Note what ends the use of an address; True if it ended it now, False if it had ended for this reason before.

    A phone that is the wrong number is neither written to nor called, whatever medium told us so.
    """
    ended = _end(value, medium=medium, reason=reason, how=how, now=now)
    if ended:
        stopped.send(ContactPoint, value=_form(value, medium), medium=medium, reason=reason, now=now)
    return ended


def _end(value: str, *, medium: Medium, reason: StopReason, how: str, now: datetime) -> bool:
    points = _locked(value, medium)
    if not points.exists():
        ContactPoint.objects.create(kind=kind_of(medium), value=_form(value, medium), created_at=now)
    if reason == StopReason.OPTED_OUT or (medium == Medium.VOICE and reason != StopReason.WRONG_NUMBER):
        return _opt_out(points, medium, how=how, now=now)
    name = _COLUMNS[reason]
    if reason == StopReason.BOUNCED:
        points.update(bounces=F("bounces") + 1)
    fresh = points.filter(**{f"{name}_at__isnull": True})
    return bool(fresh.update(**{f"{name}_at": now, f"{name}_how": how[:_HOW_LENGTH], "updated_at": now}))


@transaction.atomic
def opt_in(value: str, *, medium: Medium, how: str, now: datetime) -> bool:
    """Take an opt-out back; True if there was one. What else ended the use of the address stays."""
    at, told = _words(medium, "in")
    points = _locked(value, medium)
    was_out = _is_out(points, medium)
    points.filter(Q(**{f"{at}__isnull": True}) | Q(**{f"{at}__lt": now})).update(
        **{at: now, told: how[:_HOW_LENGTH], "updated_at": now}
    )
    return was_out and not _is_out(points, medium)


@transaction.atomic
def use_again(point: ContactPoint, *, how: str, now: datetime) -> None:
    """Use an address again, because its owner asked for it or what was wrong has been put right."""
    for medium in (Medium.EMAIL,) if point.kind == Kind.EMAIL else (Medium.SMS, Medium.VOICE):
        if _is_out(_locked(point.value, medium), medium):
            opt_in(point.value, medium=medium, how=how, now=now)
    ContactPoint.objects.filter(kind=point.kind, value=point.value).update(
        bounced_at=None, complained_at=None, wrong_number_at=None, updated_at=now
    )


def verify(debtor: Debtor, *, kind: str, value: str, now: datetime) -> None:
    """Note that the debtor has shown an address to be theirs."""
    points = ContactPoint.objects.filter(debtor=debtor, kind=kind, value=value, verified_at__isnull=True)
    points.update(verified_at=now, updated_at=now)


@transaction.atomic
def note_consent(point: ContactPoint, *, basis: str, at: datetime, now: datetime) -> None:
    """Note that its owner agreed to be written to there, and how we know. An opt-out since then counts for more.

    :raises NotYetAgreed: if that lies ahead
    :raises AgreedSince: if a later consent is known
    """
    if at > now:
        raise NotYetAgreed
    older = Q(consented_at__isnull=True) | Q(consented_at__lt=at)
    row = ContactPoint.objects.filter(older, pk=point.pk)
    if not row.update(consent_basis=ContactPoint.Basis(basis), consented_at=at, updated_at=now):
        raise AgreedSince
    point.refresh_from_db()


def agreed_by_reply(value: str, *, medium: Medium, now: datetime) -> None:
    """Note that who wrote START agrees to be written to there, from now on."""
    older = Q(consented_at__isnull=True) | Q(consented_at__lt=now)
    basis = ContactPoint.Basis.REPLY
    rows(value, medium).filter(older).update(consent_basis=basis, consented_at=now, updated_at=now)


def owner(value: str, kind: str) -> Debtor | None:
    """Return whose address it is now, else whose it was last."""
    if kind == Kind.PHONE:
        current = Debtor.objects.filter(mobile_phone=value)
    else:
        value = value.strip().lower()
        current = Debtor.objects.alias(_email=Lower("email")).filter(_email=value)
    if found := current.first():
        return found
    past = ContactPoint.objects.filter(kind=kind, value=value, debtor__isnull=False).select_related("debtor")
    point = past.order_by("-created_at", "-id").first()
    return point.debtor if point else None


def _form(value: str, medium: str) -> str:
    return value.strip().lower() if kind_of(medium) == Kind.EMAIL else value.strip()


def _locked(value: str, medium: str) -> ContactPointQuerySet:
    """The rows of an address, one writer at a time: of two STOPs at once, one is the first."""
    advisory_locks.lock(AdvisoryLock.ADDRESS, _form(value, medium))
    return rows(value, medium)


def _words(medium: str, direction: str) -> tuple[str, str]:
    prefix = "calls_" if medium == Medium.VOICE else ""
    return f"{prefix}opted_{direction}_at", f"{prefix}opted_{direction}_how"


def _is_out(points: ContactPointQuerySet, medium: str) -> bool:
    out_at, in_at = _words(medium, "out")[0], _words(medium, "in")[0]
    out = points.filter(**{f"{out_at}__isnull": False})
    return out.filter(Q(**{f"{in_at}__isnull": True}) | Q(**{f"{in_at}__lte": F(out_at)})).exists()


def _opt_out(points: ContactPointQuerySet, medium: str, *, how: str, now: datetime) -> bool:
    """Note a refusal on each row of the address that isn't out already: the first refusal stays as it was said."""
    (at, told), in_at = _words(medium, "out"), _words(medium, "in")[0]
    was_out = _is_out(points, medium)
    taken_back = Q(**{f"{in_at}__gt": F(at), f"{at}__lt": now})
    points.filter(Q(**{f"{at}__isnull": True}) | taken_back).update(
        **{at: now, told: how[:_HOW_LENGTH], "updated_at": now}
    )
    return not was_out and _is_out(points, medium)
