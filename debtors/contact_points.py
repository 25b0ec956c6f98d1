"""Contact points: suppress an address, take an opt-out back.

Each fact applies to every row with the address, whichever debtor has it. An opt-out and an opt-in may arrive in any order; the
later one is in force.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Least
from django.dispatch import Signal

from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from debtors import emails, phones
from debtors.channels import AddressKind, Channel
from debtors.models import ContactPoint, Debtor, SuppressionReason, opted_out

#: Sent within the transaction that suppresses an address, with ``value``, ``channel``, ``reason`` and ``now``.
address_suppressed = Signal()

_SOURCE_LENGTH = 255
#: The prefix of a reason's two columns, for the time and the source.
_COLUMNS = {
    SuppressionReason.BOUNCED: "bounced",
    SuppressionReason.COMPLAINED: "complained",
    SuppressionReason.WRONG_NUMBER: "wrong_number",
}

_SUPPRESSED_BY = {
    Channel.EMAIL: "messages_suppressed",
    Channel.SMS: "messages_suppressed",
    Channel.VOICE: "machine_calls_suppressed",
    Channel.CALL_SCRIPT: "calls_suppressed",
}
#: So many temporary failures in a row, and an agent has to look at the address before more mail goes there.
MAX_SOFT_BOUNCES = 10


def normal_form(value: str) -> str:
    """Return the form in which contact points store an address: that of an e-mail address if it has an ``@``, or of a phone."""
    return emails.normal_form(value) if "@" in value else phones.normal_form(value)


def parse(text: str, kind: AddressKind, *, field: str) -> str:
    """Return the normal form of an address that a person entered; the error names ``field``.

    :raises InvalidEmail: if it is not an e-mail address
    :raises InvalidPhone: if it is not an international phone number
    """
    if kind == AddressKind.PHONE:
        return phones.normal_form(phones.normalise(text.strip(), None, field=field))
    value = emails.normal_form(text)
    emails.check(value, field=field)
    return value


def rows(value: str, channel: Channel) -> QuerySet[ContactPoint]:
    """Return all rows of an address: one for each debtor who has or had it."""
    return ContactPoint.objects.filter(kind=channel.address_kind, value=normal_form(value))


def suppression_column(channel: Channel) -> str:
    """Return the column that suppresses an address for a channel. STOP by text ends calls by machine, and not those by agents."""
    return _SUPPRESSED_BY[channel]


@dataclass(frozen=True)
class Unusable:
    """Addresses that must not be used: suppressed ones by channel, and those of other persons by debtor and kind."""

    suppressed: Collection[tuple[Channel, str]]
    of_others: Mapping[tuple[uuid.UUID, str], set[str]]


def unusable(addresses: Mapping[Channel, Iterable[str]], debtors: Iterable[uuid.UUID] = ()) -> Unusable:
    """Return which of these normal forms are suppressed, and the addresses that are not these debtors' own, by one query."""
    wanted = Q()
    for channel, values in addresses.items():
        wanted |= Q(kind=channel.address_kind, value__any_of=values)
    others = Q(debtor__any_of=debtors, is_another_persons=True)
    stopped = wanted & (Q(messages_suppressed=True) | Q(calls_suppressed=True)) if wanted else others
    columns = sorted(set(_SUPPRESSED_BY.values()))
    blocked: set[tuple[str, str, str]] = set()
    of_others: dict[tuple[uuid.UUID, str], set[str]] = defaultdict(set)
    points = ContactPoint.objects.filter(stopped | others)
    for debtor, kind, value, is_others, *flags in points.values_list(
        "debtor", "kind", "value", "is_another_persons", *columns
    ):
        blocked |= {(kind, value, column) for column, is_blocked in zip(columns, flags, strict=True) if is_blocked}
        if is_others:
            of_others[debtor, kind].add(value)
    suppressed = {
        (channel, value)
        for channel, values in addresses.items()
        for value in values
        if (channel.address_kind, value, suppression_column(channel)) in blocked
    }
    return Unusable(suppressed, of_others)


def suppressed(addresses: Mapping[Channel, Iterable[str]]) -> Collection[tuple[Channel, str]]:
    """Return the channels and addresses among these normal forms that must not be used, by one query."""
    return unusable(addresses).suppressed if addresses else set()


def share(value: str, *, kind: AddressKind, owner: Debtor, other: Debtor, now: datetime) -> None:
    """Record that an address of ``owner`` was given for another debtor too. Nothing about the other's debts is sent there."""
    for debtor, is_another_persons in ((owner, False), (other, True)):
        ContactPoint.objects.update_or_create(
            debtor=debtor,
            kind=kind,
            value=normal_form(value),
            defaults={"shared_at": now, "is_another_persons": is_another_persons, "updated_at": now},
            create_defaults={"shared_at": now, "is_another_persons": is_another_persons, "created_at": now},
        )


@transaction.atomic
def suppress(value: str, *, channel: Channel, reason: SuppressionReason, source: str, now: datetime) -> bool:
    """Suppress an address for a reason; return whether it was not suppressed for this reason before.

    A wrong number is suppressed for text messages and calls, whichever channel revealed it. Suppression applies at once to
    queued messages and open call tasks.
    """
    is_new = _record(value, channel=channel, reason=reason, source=source, now=now)
    if is_new:
        address_suppressed.send(ContactPoint, value=normal_form(value), channel=channel, reason=reason, now=now)
    return is_new


def _record(value: str, *, channel: Channel, reason: SuppressionReason, source: str, now: datetime) -> bool:
    points = locked(value, channel)
    if not points.exists():
        ContactPoint.objects.create(kind=channel.address_kind, value=normal_form(value), created_at=now)
    if reason == SuppressionReason.OPTED_OUT or (channel.is_call and reason != SuppressionReason.WRONG_NUMBER):
        return _opt_out(points, channel, source=source, now=now)
    name = _COLUMNS[reason]
    if reason == SuppressionReason.BOUNCED:
        points.update(bounces=F("bounces") + 1)
    unrecorded = points.filter(**{f"{name}_at__isnull": True})
    values = {f"{name}_at": now, f"{name}_source": source[:_SOURCE_LENGTH], "updated_at": now}
    return bool(unrecorded.update(**values))


@transaction.atomic
def count_soft_bounce(value: str, *, channel: Channel, source: str, now: datetime) -> bool:
    """Count a temporary failure; suppress the address as bounced after ``MAX_SOFT_BOUNCES`` in a row. Return whether it did."""
    points = locked(value, channel)
    points.update(soft_bounces=Least(F("soft_bounces") + 1, MAX_SOFT_BOUNCES), updated_at=now)
    if not points.filter(soft_bounces=MAX_SOFT_BOUNCES, bounced_at__isnull=True).exists():
        return False
    why = f"{MAX_SOFT_BOUNCES} temporary failures in a row: {source}"
    return suppress(value, channel=channel, reason=SuppressionReason.BOUNCED, source=why, now=now)


def forget_soft_bounces(value: str, *, channel: Channel, now: datetime) -> None:
    """Begin to count temporary failures anew, because a message was delivered."""
    rows(value, channel).filter(soft_bounces__gt=0).update(soft_bounces=0, updated_at=now)


@transaction.atomic
def opt_in(value: str, *, channel: Channel, source: str, now: datetime) -> bool:
    """Take an opt-out back; return whether one was in force. Other suppressions stay."""
    at, source_column = _columns(channel, "in")
    points = locked(value, channel)
    was_out = is_opted_out(points, channel)
    points.filter(Q(**{f"{at}__isnull": True}) | Q(**{f"{at}__lt": now})).update(
        **{at: now, source_column: source[:_SOURCE_LENGTH], "updated_at": now}
    )
    return was_out and not is_opted_out(points, channel)


@transaction.atomic
def reactivate(point: ContactPoint, *, source: str, now: datetime) -> None:
    """End all suppressions of an address, because its owner asked for it or the problem is solved.

    An address that was shared is this debtor's own from then on.
    """
    for channel in (Channel.EMAIL,) if point.kind == AddressKind.EMAIL else (Channel.SMS, Channel.VOICE):
        if is_opted_out(locked(point.value, channel), channel):
            opt_in(point.value, channel=channel, source=source, now=now)
    ContactPoint.objects.filter(kind=point.kind, value=point.value).update(
        bounced_at=None, soft_bounces=0, complained_at=None, wrong_number_at=None, updated_at=now
    )
    ContactPoint.objects.filter(pk=point.pk).update(shared_at=None, is_another_persons=False)


def verify(debtor: Debtor, *, kind: AddressKind, value: str, now: datetime) -> None:
    """Record that the debtor proved to own an address."""
    points = ContactPoint.objects.filter(debtor=debtor, kind=kind, value=value, verified_at__isnull=True)
    points.update(verified_at=now, updated_at=now)


def owner(value: str, kind: AddressKind) -> Debtor | None:
    """Return the debtor who has the address, else the last one who had it."""
    value = normal_form(value)
    of_debtor = "normal_phone" if kind == AddressKind.PHONE else "normal_email"
    debtor: Debtor | None = Debtor.objects.filter(**{of_debtor: value}).first()
    if debtor:
        return debtor
    past = ContactPoint.objects.filter(kind=kind, value=value, debtor__isnull=False).select_related("debtor")
    point = past.order_by("-created_at", "-id").first()
    return point.debtor if point else None


def locked(value: str, channel: Channel) -> QuerySet[ContactPoint]:
    """Lock the address and return its rows, so that only one of two simultaneous STOPs is the first."""
    advisory_locks.lock(AdvisoryLock.ADDRESS, normal_form(value))
    return rows(value, channel)


def _columns(channel: Channel, direction: str) -> tuple[str, str]:
    prefix = "calls_" if channel.is_call else ""
    return f"{prefix}opted_{direction}_at", f"{prefix}opted_{direction}_source"


def is_opted_out(points: QuerySet[ContactPoint], channel: Channel) -> bool:
    """Return whether an opt-out of the channel is in force for one of the rows."""
    return points.filter(opted_out("calls_" if channel.is_call else "")).exists()


def _opt_out(points: QuerySet[ContactPoint], channel: Channel, *, source: str, now: datetime) -> bool:
    """Record an opt-out on each row without one in force: the first one keeps its time and source."""
    (at, source_column), in_at = _columns(channel, "out"), _columns(channel, "in")[0]
    was_out = is_opted_out(points, channel)
    taken_back = Q(**{f"{in_at}__gt": F(at), f"{at}__lt": now})
    points.filter(Q(**{f"{at}__isnull": True}) | taken_back).update(
        **{at: now, source_column: source[:_SOURCE_LENGTH], "updated_at": now}
    )
    return not was_out and is_opted_out(points, channel)
