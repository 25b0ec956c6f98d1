"""Facts for the contact gate that only messages have: contacts made, slots taken, conversations, flags of templates."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from communications.models import (
    CONNECTED,
    CONTACT_STATUSES,
    CONVERSATIONS,
    MADE_AT,
    CommunicationLog,
    CommunicationTemplate,
    MessageStatus,
)
from contact import addresses
from contact.engine.decision import Contact
from contact.facts import ContactRequest, TemplateFacts
from contact.models import Purpose
from debtors import emails
from debtors.channels import Channel

#: No cap looks further back than a calendar month, no cooling-off period than 31 days.
REMEMBERED = timedelta(days=33)
#: Messages with these statuses count as attempted contacts. So do claimed ones until their lease is over: they took a slot.
ATTEMPTED = (
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.UNCERTAIN,
)
# Literal statuses, because with parameters PostgreSQL does not use the partial index, and would read a person's whole history.
_MAY_BE_CONTACT = RawSQL(  # noqa: S611 - the statuses are constants
    f"communication_log.status IN ({', '.join(repr(status.value) for status in CONTACT_STATUSES)})",
    (),
    output_field=BooleanField(),
)


def requests(messages: Sequence[CommunicationLog], *, by_address: bool, now: datetime) -> list[ContactRequest]:
    """Return the requests to the contact gate for messages; their debtors, debts and templates are loaded.

    ``by_address``: also count contacts with other debtors at the same address.
    """
    plain = [_request(message) for message in messages]
    unsolicited = [request for request in plain if not request.solicited]
    if not unsolicited:
        return plain
    history = _history(unsolicited, by_address=by_address, now=now)
    templates = _templates([message for message in messages if message.purpose != Purpose.SOLICITED])
    found = []
    for message, request in zip(messages, plain, strict=True):
        if request.solicited or request.debtor is None:
            found.append(request)
            continue
        key = (message.template.name, message.communication_type) if message.template else None
        found.append(
            replace(
                request,
                history=tuple(history.get(request.debtor.pk, ())),
                template=templates.get(key, templates[None]),
            )
        )
    return found


def _request(message: CommunicationLog) -> ContactRequest:
    return ContactRequest(
        channel=Channel(message.communication_type),
        debtor=message.debtor,
        debt=message.debt,
        message_id=message.pk,
        solicited=message.purpose == Purpose.SOLICITED,
        expires_at=message.expires_at,
        confirms_opt_out_to=(message.address or "") if message.confirms_opt_out else None,
    )


def _templates(messages: Sequence[CommunicationLog]) -> Mapping[tuple[str, str] | None, TemplateFacts]:
    """Return the facts about templates by name and channel; under None, those of a message without one.

    The variant is chosen at sending. So a template asks for payment or overshadows the validation notice if any of its
    variants does, and carries the notice if all its active variants do.
    """
    variants: dict[tuple[str, str], list[CommunicationTemplate]] = defaultdict(list)
    names = {message.template.name for message in messages if message.template}
    rows = CommunicationTemplate.objects.filter(Q(name__in=names) | Q(is_active=True, is_validation_notice=True))
    for template in rows.defer("subject", "body"):
        variants[template.name, template.communication_type].append(template)
    active = {key: [variant for variant in some if variant.is_active] for key, some in variants.items()}
    agency_has_notice = any(all(v.is_validation_notice for v in some) for some in active.values() if some)
    found: dict[tuple[str, str] | None, TemplateFacts] = {None: TemplateFacts(agency_has_notice=agency_has_notice)}
    for key, some in variants.items():
        found[key] = TemplateFacts(
            asks_for_payment=any(variant.asks_for_payment for variant in some),
            is_validation_notice=bool(active[key]) and all(variant.is_validation_notice for variant in active[key]),
            overshadows=any(variant.overshadows for variant in active[key]),
            agency_has_notice=agency_has_notice,
        )
    return found


def _history(asked: Sequence[ContactRequest], *, by_address: bool, now: datetime) -> Mapping[uuid.UUID, list[Contact]]:
    """Return the contacts of each debtor, made or under way, without those that are asked about."""
    debtors = {request.debtor.pk: request.debtor for request in asked if request.debtor}
    owners: dict[str, set[uuid.UUID]] = defaultdict(set)
    if by_address:
        for request in asked:
            if request.debtor and request.address:
                owners[request.address].add(request.debtor.pk)
    # Messages have an e-mail address as it was entered.
    values = [*owners, *(debtor.email for debtor in debtors.values())] if by_address else []
    rows = (
        CommunicationLog.objects.filter(Q(debtor__any_of=debtors) | Q(address__any_of=values))
        .filter(Q(status__in=(*ATTEMPTED, MessageStatus.RECEIVED)) | Q(status=MessageStatus.CLAIMED, due_at__gt=now))
        .filter(_MAY_BE_CONTACT)
        .exclude(pk__any_of=[request.message_id for request in asked])
        .annotate(made_at=MADE_AT)
        .filter(made_at__gte=now - REMEMBERED)
        .order_by()
    )
    found: dict[uuid.UUID, list[Contact]] = defaultdict(list)
    for debtor_id, address, status, *rest in rows.values_list("debtor_id", "address", "status", *_OF_CONTACT):
        if status == MessageStatus.CLAIMED and debtor_id in debtors:
            # The row gets its address only when the hand-over starts.
            address = addresses.address(debtors[debtor_id], rest[0])
        contact = _contact(emails.normal_form(address or ""), status, *rest)
        for owner in {debtor_id, *owners.get(contact.address, ())} & debtors.keys():
            found[owner].append(contact)
    return found


_OF_CONTACT = ("communication_type", "debt_id", "direction", "purpose", "outcome", "made_at", "created_at")


def _contact(
    address: str, status: str, channel: str, debt_id: uuid.UUID | None, direction: str, purpose: str, outcome: str | None,
    made_at: datetime, created_at: datetime,
) -> Contact:  # fmt: skip
    inbound = direction == CommunicationLog.Direction.INBOUND
    return Contact(
        at=created_at if inbound else made_at,
        channel=channel,
        debt_id=debt_id,
        address=address,
        attempted=not inbound and purpose != Purpose.SOLICITED and (outcome is None or outcome in CONNECTED),
        connected=status != MessageStatus.BOUNCED,
        conversation=outcome in CONVERSATIONS,
    )
