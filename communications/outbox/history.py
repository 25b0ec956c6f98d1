"""Facts for the contact gate that only messages have: contacts made, slots taken, conversations, flags of templates."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import BooleanField, Min, Q
from django.db.models.expressions import RawSQL

from communications.models import (
    CONNECTED,
    CONTACT_STATUSES,
    CONVERSATIONS,
    MADE_AT,
    UNREACHED,
    CallOutcome,
    CommunicationLog,
    CommunicationTemplate,
    MessageStatus,
)
from contact import addresses
from contact.engine.applicable import PolicySet
from contact.engine.decision import Contact
from contact.facts import ContactRequest, TemplateFacts
from contact.models import Purpose
from debtors import contact_points, phones
from debtors.channels import Channel

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


def requests(messages: Sequence[CommunicationLog], policy_set: PolicySet, *, now: datetime) -> list[ContactRequest]:
    """Return the requests to the contact gate for messages; their debtors, debts and templates are loaded.

    Contacts with other debtors at the same address count too if a policy counts by address.
    """
    plain = [_request(message) for message in messages]
    collecting = [request for request in plain if request.purpose == Purpose.COLLECTION]
    if not collecting:
        return plain
    history = _history(collecting, policy_set, now=now)
    templates = _templates([message for message in messages if message.purpose == Purpose.COLLECTION])
    has_notice = templates[None].agency_has_notice
    first_contacts = _first_contacts(collecting) if has_notice and policy_set.counts_from_first_contact else {}
    found = []
    for message, request in zip(messages, plain, strict=True):
        if request.purpose != Purpose.COLLECTION or request.debtor is None:
            found.append(request)
            continue
        key = (message.template.name, message.communication_type) if message.template else None
        found.append(
            replace(
                request,
                history=tuple(history.get(request.debtor.pk, ())),
                template=templates.get(key, templates[None]) if key else _of_text(message, templates[None]),
                first_contacted_at=first_contacts.get(request.debt.pk) if request.debt else None,
            )
        )
    return found


def _request(message: CommunicationLog) -> ContactRequest:
    return ContactRequest(
        channel=Channel(message.communication_type),
        debtor=message.debtor,
        debt=message.debt,
        message_id=message.pk,
        purpose=Purpose(message.purpose),
        expires_at=message.expires_at,
        confirms_opt_out_to=(message.address or "") if message.confirms_opt_out else None,
        new_address=(message.address or "") if message.proves_address else None,
    )


def _of_text(message: CommunicationLog, default: TemplateFacts) -> TemplateFacts:
    """Return the facts about a text without a template. Its author said whether it asks for payment."""
    presses = bool((message.draft or {}).get("asks_for_payment"))
    return replace(default, asks_for_payment=presses, overshadows=presses)


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


def _history(
    asked: Sequence[ContactRequest], policy_set: PolicySet, *, now: datetime
) -> Mapping[uuid.UUID, list[Contact]]:
    """Return the contacts of each debtor, made or under way, without those that are asked about."""
    debtors = {request.debtor.pk: request.debtor for request in asked if request.debtor}
    owners: dict[str, set[uuid.UUID]] = defaultdict(set)
    if policy_set.count_by_address:
        for request in asked:
            if request.debtor and request.address:
                owners[request.address].add(request.debtor.pk)
    # Messages have an e-mail address as it was entered, and a phone as it was dialled.
    dialled = (one for form in owners for one in phones.spellings(form))
    values = {*dialled, *(debtor.email for debtor in debtors.values())} if owners else set()
    rows = (
        CommunicationLog.objects.filter(Q(debtor__any_of=debtors) | Q(address__any_of=values))
        .filter(Q(status__in=(*ATTEMPTED, MessageStatus.RECEIVED)) | Q(status=MessageStatus.CLAIMED, due_at__gt=now))
        .filter(_MAY_BE_CONTACT)
        .exclude(pk__any_of=[request.message_id for request in asked])
        .annotate(made_at=MADE_AT)
        .filter(made_at__gte=now - timedelta(days=policy_set.memory_days))
        .order_by()
    )
    found: dict[uuid.UUID, list[Contact]] = defaultdict(list)
    for debtor_id, address, status, *rest in rows.values_list(
        "debtor_id", "address", "status", *_OF_CONTACT, *(["debt__creditor_id"] if policy_set.count_by_creditor else [])
    ):
        if status == MessageStatus.CLAIMED and debtor_id in debtors:
            # The row gets its address only when the hand-over starts.
            address = addresses.address(debtors[debtor_id], rest[0])
        contact = _contact(contact_points.normal_form(address or ""), status, *rest)
        for owner in {debtor_id, *owners.get(contact.address, ())} & debtors.keys():
            found[owner].append(contact)
    return found


_OF_CONTACT = ("communication_type", "debt_id", "direction", "purpose", "outcome", "made_at", "created_at")


def _first_contacts(asked: Sequence[ContactRequest]) -> Mapping[uuid.UUID, datetime]:
    """Return when a contact about each debt was first made."""
    debts = {request.debt.pk: request.debt.debtor_id for request in asked if request.debt}
    rows = (
        CommunicationLog.objects.filter(debtor__any_of=set(debts.values()), debt__any_of=debts, status__in=ATTEMPTED)
        .filter(_MAY_BE_CONTACT, direction=CommunicationLog.Direction.OUTBOUND, purpose=Purpose.COLLECTION)
        .exclude(pk__any_of=[request.message_id for request in asked])
    )
    return dict(rows.values_list("debt_id").annotate(first=Min(MADE_AT)).order_by())


def _contact(
    address: str, status: str, channel: str, debt_id: uuid.UUID | None, direction: str, purpose: str, outcome: str | None,
    made_at: datetime, created_at: datetime, creditor_id: uuid.UUID | None = None,
) -> Contact:  # fmt: skip
    inbound = direction == CommunicationLog.Direction.INBOUND
    return Contact(
        at=created_at if inbound else made_at,
        channel=channel,
        debt_id=debt_id,
        address=address,
        attempted=not inbound and purpose == Purpose.COLLECTION and (outcome is None or outcome in CONNECTED),
        connected=status != MessageStatus.BOUNCED and outcome not in UNREACHED,
        conversation=outcome in CONVERSATIONS,
        creditor_id=creditor_id,
        asked_for_call=outcome == CallOutcome.CALL_BACK,
        written_by_debtor=inbound and not Channel(channel).is_call,
    )
