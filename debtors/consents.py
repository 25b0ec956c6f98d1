"""Consent to contact: of one debtor, by one channel, at one address.

A consent is a row that stays as it was given. An address that passes to another debtor starts without. Opt-outs are those of the
address (``debtors.contact_points``); one ends every earlier consent to the channels that it is about.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Greatest

from agents.models import Agent, require_permission
from ddc.common.errors import DomainError, Invalid
from debtors import contact_points, phones
from debtors.channels import AddressKind, Channel
from debtors.models import Consent, ContactPoint, Debtor, SuppressionReason


class ConsentInFuture(Invalid):
    """The date of a consent is in the future."""

    field = "given_at"
    message = "The consent cannot be dated in the future. Enter today or an earlier day."


class ChannelNotOfAddress(Invalid):
    """The channel does not use such an address."""

    field = "channels"
    message = "Choose channels that use this address."


class NotTheDebtorsAddress(DomainError):
    """The contact point belongs to no debtor, so nobody can consent."""

    message = "This address belongs to no debtor. Consent is given by a person."


class CheckInFuture(Invalid):
    """The date of a check is in the future."""

    field = "checked_at"
    message = "The check cannot be dated in the future. Enter today or an earlier day."


@dataclass(frozen=True)
class Given:
    """The consent in force. ``confirmed_at``: when it was given, or since then used or checked, whichever was last."""

    given_at: datetime
    confirmed_at: datetime
    basis: str


@transaction.atomic
def record(
    point: ContactPoint,
    *,
    channels: Iterable[Channel],
    basis: str,
    scope: str,
    text: str,
    source: str,
    given_at: datetime,
    by: Agent | None,
    now: datetime,
) -> list[Consent]:
    """Record the consent of a debtor to contact by some channels at one of their addresses.

    :raises ConsentInFuture: if it is dated in the future
    :raises ChannelNotOfAddress: if no channel is given, or one that does not use the address
    :raises NotTheDebtorsAddress: if the address is no debtor's
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "debtors.record_consent")
    chosen = list(channels)
    if point.debtor_id is None:
        raise NotTheDebtorsAddress
    if not chosen or any(channel.address_kind != point.kind for channel in chosen):
        raise ChannelNotOfAddress
    if given_at > now:
        raise ConsentInFuture
    return [
        Consent.objects.create(
            debtor_id=point.debtor_id,
            channel=channel,
            address=point.value,
            basis=Consent.Basis(basis),
            scope=scope,
            text=text,
            source=source,
            given_at=given_at,
            by=by,
        )
        for channel in chosen
    ]


def record_reply(debtor: Debtor, *, phone: str, channel: Channel, text: str, source: str, now: datetime) -> None:
    """Record the consent of a debtor who replied START from their phone. From another phone it is not theirs to give."""
    if _is_phone_of(debtor, phone):
        Consent.objects.create(
            debtor=debtor,
            channel=channel,
            address=phones.normal_form(phone),
            basis=Consent.Basis.REPLY,
            text=text,
            source=source,
            given_at=now,
        )


def record_use(debtor: Debtor, *, phone: str, now: datetime) -> None:
    """Record that the debtor has just written or signed in from their phone, which shows that they still have it."""
    if _is_phone_of(debtor, phone):
        rows = Consent.objects.filter(debtor=debtor, address=phones.normal_form(phone))
        rows.filter(Q(used_at__isnull=True) | Q(used_at__lt=now)).update(used_at=now, updated_at=now)


def _is_phone_of(debtor: Debtor, phone: str) -> bool:
    return bool(debtor.mobile_phone) and phones.normal_form(debtor.mobile_phone or "") == phones.normal_form(phone)


@transaction.atomic
def record_number_check(
    point: ContactPoint, *, is_reassigned: bool, source: str, checked_at: datetime, by: Agent | None, now: datetime
) -> None:
    """Record the answer of a database of reassigned numbers, such as the FCC's (47 CFR 64.1200(m)), on a day.

    A number that was not reassigned confirms the debtor's consents. One that was belongs to another person: it is suppressed.

    :raises CheckInFuture: if the check is dated in the future
    :raises NotTheDebtorsAddress: if the number is no debtor's
    :raises ChannelNotOfAddress: if the address is not a phone
    :raises Forbidden: if ``by`` may not
    """
    require_permission(by, "debtors.record_consent")
    if point.kind != AddressKind.PHONE:
        raise ChannelNotOfAddress
    if point.debtor_id is None:
        raise NotTheDebtorsAddress
    if checked_at > now:
        raise CheckInFuture
    rows = Consent.objects.filter(debtor=point.debtor_id, address=point.value)
    if is_reassigned:
        reason = SuppressionReason.WRONG_NUMBER
        contact_points.suppress(point.value, channel=Channel.SMS, reason=reason, source=source, now=now)
    else:
        rows.filter(Q(checked_at__isnull=True) | Q(checked_at__lt=checked_at)).update(
            checked_at=checked_at, check_source=source, updated_at=now
        )


def in_force(debtors: Collection[uuid.UUID], addresses: Collection[str]) -> dict[tuple[uuid.UUID, str, str], Given]:
    """Return the newest consents of these debtors at these addresses, by debtor, channel and address, with one query."""
    at_address = ContactPoint.objects.filter(value=OuterRef("address"))
    messages_ended = Q(opted_out_at__gte=OuterRef("given_at"))
    calls_ended = Q(calls_opted_out_at__gte=OuterRef("given_at"))
    # STOP by text ends consent to calls by machine too (47 CFR 64.1200(a)(10)).
    ended = (
        Q(channel__in=(Channel.EMAIL, Channel.SMS)) & Exists(at_address.filter(messages_ended))
        | Q(channel=Channel.VOICE) & Exists(at_address.filter(messages_ended | calls_ended))
        | Q(channel=Channel.CALL_SCRIPT) & Exists(at_address.filter(calls_ended))
    )
    rows = Consent.objects.filter(debtor__any_of=debtors, address__any_of=addresses).exclude(ended)
    confirmed = Greatest("given_at", "used_at", "checked_at")
    columns = (
        rows.order_by("given_at", "id")
        .annotate(confirmed_at=confirmed)
        .values_list("debtor_id", "channel", "address", "given_at", "confirmed_at", "basis")
    )
    return {(debtor, channel, address): Given(*its) for debtor, channel, address, *its in columns}
