"""What the contact gate has to know of many messages at once, in a number of queries that doesn't depend on theirs."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db.models import Q
from django.db.models.functions import Coalesce

from collection.models import Hold
from communications import suppressions
from communications.calls import records
from communications.contact.gate import Contact, Facts, Stop
from communications.contact.rules import Place, Policies, Rules, Scope, place
from communications.models import (
    CommunicationLog,
    CommunicationTemplate,
    ContactWish,
    FirstNotice,
    MessageStatus,
    Purpose,
)
from debtors import contact_points, emails
from debtors.channels import Channel
from debtors.models import ContactPoint, Debtor
from debtors.zones import country_of_phone, possible_zones

#: No cap looks further back than a calendar month, no cool-down than 31 days.
REMEMBERED = timedelta(days=33)
#: A message in one of these counts as a contact that was tried. So does a claimed one, for the time of its lease: it has taken
#: its slot.
ATTEMPTED = (
    MessageStatus.SENDING,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.UNCERTAIN,
)


@dataclass
class _Known:
    """What was fetched for a batch."""

    suppressed: set[tuple[Channel, str]] = field(default_factory=set)
    consents: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    holds: Mapping[uuid.UUID, list[Stop]] = field(default_factory=dict)
    #: Templates that ask for payment, by name and channel; looked up where a hold stops them alone.
    asking: Collection[tuple[str, str]] = ()
    wishes: Mapping[uuid.UUID, list[ContactWish]] = field(default_factory=dict)
    history: Mapping[uuid.UUID, list[Contact]] = field(default_factory=dict)
    notices: "_Notices | None" = None


@dataclass
class _Notices:
    """What is known of notices where a policy asks for them."""

    #: By debt, the first day after the time to dispute.
    ends: Mapping[uuid.UUID, date]
    #: By name and channel of the template, whether each variant is a notice, and whether any overshadows one.
    flags: Mapping[tuple[str, str], tuple[bool, bool]]
    agency_has_one: bool


def rules_of(logs: Iterable[CommunicationLog], policies: Policies) -> dict[uuid.UUID, Rules]:
    """Return the policies that count for each message, by its id; none do for what a debtor asked for."""
    return {
        log.pk: policies.applying(places(log.debtor), log.communication_type)
        for log in logs
        if log.purpose != Purpose.SOLICITED and log.debtor
    }


def gather(logs: Sequence[CommunicationLog], rules: Mapping[uuid.UUID, Rules], *, now: datetime) -> list[Facts]:
    """Fetch what ``rules_of`` these messages ask for; their debtors, debts and templates are loaded."""
    known = _Known(suppressed=_suppressed(logs))
    asked = [log for log in logs if log.pk in rules]
    if asked:
        debtors = {log.debtor_id for log in asked if log.debtor_id}
        known.holds = _holds(debtors, {log.debt_id for log in asked if log.debt_id}, now=now)
        if any(stop.payment_requests_alone for stops in known.holds.values() for stop in stops):
            known.asking = _asking(asked)
        known.wishes = _wishes(debtors)
        counted = [log for log in asked if rules[log.pk].counted]
        if counted:
            known.history = _history(counted, rules.values(), now=now)
        if agreed := [log for log in asked if rules[log.pk].consents]:
            known.consents = _consents(agreed)
        if noticed := [log for log in asked if rules[log.pk].first_notices]:
            known.notices = _notices(noticed)
    return [_facts(log, known) for log in logs]


def _facts(log: CommunicationLog, known: _Known) -> Facts:
    debtor, debt = log.debtor, log.debt
    address = suppressions.address_of(log)
    channel = Channel(log.communication_type)
    wishes = known.wishes.get(debtor.pk, []) if debtor else []
    stops = [*known.holds.get(debtor.pk, ())] if debtor else []
    if debt:
        stops += known.holds.get(debt.pk, ())
    is_notice, overshadows = _flags(log, known.notices)
    period_ends = known.notices.ends.get(log.debt_id) if known.notices and log.debt_id else None
    return Facts(
        channel=log.communication_type,
        address=address,
        zones=zones(debtor, wishes) if debtor else frozenset(),
        places=places(debtor) if debtor else frozenset(),
        solicited=log.purpose == Purpose.SOLICITED,
        suppressed=not log.confirms_opt_out and (channel, address) in known.suppressed,
        refused=_refused(wishes, log.communication_type),
        at_work=any(
            wish.work_address and emails.normalise(wish.work_address) == emails.normalise(address) for wish in wishes
        ),
        debt=log.debt_id,
        debt_is_closed=debt is not None and not debt.is_open,
        debt_is_disputed=debt is not None and debt.is_fully_disputed,
        holds=tuple(stops),
        history=tuple(known.history.get(log.debtor_id, ())) if log.debtor_id else (),
        consented_at=known.consents.get((channel.address_kind, address)),
        wishes=tuple(wish.value for wish in wishes if _is_about(wish, log.communication_type) and _has_times(wish)),
        asks_for_payment=log.template is not None and (log.template.name, log.communication_type) in known.asking,
        notice_missing=bool(known.notices and known.notices.agency_has_one and log.debt_id and not period_ends),
        is_notice=is_notice,
        overshadows=overshadows,
        notice_period_ends=period_ends,
    )


def places(debtor: Debtor) -> frozenset[Place]:
    """Return where the debtor may be, as the law asks: by address, and by a phone that some numbering plan knows."""
    by_phone = country_of_phone(debtor.mobile_phone) if debtor.mobile_phone else None
    return _places(debtor.country_code, debtor.region_state, debtor.city, debtor.postal_code, by_phone)


@lru_cache(maxsize=65_536)
def _places(
    country: str | None, region: str | None, city: str | None, postal_code: str | None, country_of_phone: str | None
) -> frozenset[Place]:
    by_address = {place(country, region, city, postal_code)} if country else set()
    by_phone = {place(country_of_phone)} if country_of_phone and country_of_phone != country else set()
    return frozenset(by_address | by_phone)


def zones(debtor: Debtor, wishes: Iterable[ContactWish] = ()) -> frozenset[str]:
    """Return by whose clocks it has to be a fit time: address, phone, and what they told us."""
    evident = possible_zones(
        country_code=debtor.country_code, region_state=debtor.region_state, mobile_phone=debtor.mobile_phone
    )
    return evident | {wish.time_zone for wish in wishes if wish.time_zone}


def _suppressed(logs: Sequence[CommunicationLog]) -> set[tuple[Channel, str]]:
    addresses: dict[Channel, set[str]] = defaultdict(set)
    for log in logs:
        if log.debtor and (address := suppressions.address(log.debtor, log.communication_type)):
            addresses[Channel(log.communication_type)].add(address)
    return contact_points.suppressed(addresses)


def _holds(
    debtors: Collection[uuid.UUID], debts: Collection[uuid.UUID], *, now: datetime
) -> dict[uuid.UUID, list[Stop]]:
    """Return what stops contact with a person or about a debt, now or later; the days are compared by their own calendar."""
    rows = Hold.objects.filter(Q(debt__any_of=debts) | Q(debtor__any_of=debtors), ended_at__isnull=True)
    rows = rows.filter(Q(blocks_contact=True) | Q(blocks_payment_requests=True))
    rows = rows.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=now.date() - timedelta(days=1)))
    found: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    for hold in rows.order_by("starts_on", "id"):
        scope = Scope.DEBT if hold.debt_id else Scope.PERSON
        key = hold.debt_id or hold.debtor_id
        if key:
            found[key].append(Stop(hold.reason, scope, hold.starts_on, hold.ends_on, not hold.blocks_contact))
    return found


def _asking(logs: Sequence[CommunicationLog]) -> set[tuple[str, str]]:
    """Return the templates of these messages of which a variant asks for payment."""
    asking = CommunicationTemplate.objects.filter(name__in={log.template.name for log in logs if log.template})
    return set(asking.filter(asks_for_payment=True).values_list("name", "communication_type"))


def _wishes(debtors: Collection[uuid.UUID]) -> dict[uuid.UUID, list[ContactWish]]:
    found: dict[uuid.UUID, list[ContactWish]] = defaultdict(list)
    for wish in ContactWish.objects.filter(debtor__any_of=debtors, ended_at__isnull=True).order_by("created_at", "id"):
        found[wish.debtor_id].append(wish)
    return found


def _consents(logs: Sequence[CommunicationLog]) -> dict[tuple[str, str], datetime]:
    """Return since when we may write to an address, by kind and value; a refusal ends what was agreed before it."""
    values: set[str] = set()
    for log in logs:
        if log.debtor and (address := suppressions.address(log.debtor, log.communication_type)):
            values.add(address)
    points = ContactPoint.objects.filter(value__any_of=values, consented_at__isnull=False)
    found: dict[tuple[str, str], datetime] = {}
    for kind, value, agreed, refused in points.values_list("kind", "value", "consented_at", "opted_out_at"):
        if agreed and not (refused and refused >= agreed):
            found[kind, value] = max(agreed, found.get((kind, value), agreed))
    return found


def _notices(logs: Sequence[CommunicationLog]) -> _Notices:
    clocks = FirstNotice.objects.filter(debt__any_of={log.debt_id for log in logs if log.debt_id})
    names = {log.template.name for log in logs if log.template}
    active = CommunicationTemplate.objects.filter(is_active=True).filter(Q(name__in=names) | Q(is_notice=True))
    flags: dict[tuple[str, str], tuple[bool, bool]] = {}
    for name, channel, is_notice, overshadows in active.values_list(
        "name", "communication_type", "is_notice", "overshadows"
    ):
        every, some = flags.get((name, channel), (True, False))
        flags[name, channel] = every and is_notice, some or overshadows
    return _Notices(
        ends={debt: last + timedelta(days=1) for debt, last in clocks.values_list("debt_id", "period_ends_on")},
        flags=flags,
        agency_has_one=any(is_notice for is_notice, _ in flags.values()),
    )


def _flags(log: CommunicationLog, notices: _Notices | None) -> tuple[bool, bool]:
    """Return whether the message is a notice, and whether it overshadows one; which variant goes is seen at sending."""
    if notices is None or log.template is None:
        return False, False
    return notices.flags.get((log.template.name, log.communication_type), (False, False))


def _is_about(wish: ContactWish, channel: str) -> bool:
    return not wish.channels or channel in wish.channels


def _has_times(wish: ContactWish) -> bool:
    return wish.opens is not None or wish.closes is not None or bool(wish.weekdays)


def _refused(wishes: Iterable[ContactWish], channel: str) -> str | None:
    """Return what they said who want nothing by this channel."""
    return " ".join(wish.told for wish in wishes if wish.no_contact and _is_about(wish, channel)) or None


def _history(
    logs: Sequence[CommunicationLog], rules: Iterable[Rules], *, now: datetime
) -> dict[uuid.UUID, list[Contact]]:
    """Return who was contacted when: what went, what is on its way, and what they said to us; without these messages."""
    debtors = {log.debtor_id: log.debtor for log in logs if log.debtor}
    whose = Q(debtor__any_of=list(debtors))
    by_address = any(policy.scope == Scope.ADDRESS for some in rules for policy in some.caps)
    owners: dict[str, set[uuid.UUID]] = defaultdict(set)
    if by_address:
        for log in logs:
            if log.debtor and log.debtor_id:
                owners[suppressions.address(log.debtor, log.communication_type)].add(log.debtor_id)
        owners.pop("", None)
        whose |= Q(address__any_of=[*owners, *(log.debtor.email for log in logs if log.debtor)])
    since = now - REMEMBERED
    rows = (
        CommunicationLog.objects.filter(whose)
        .filter(Q(status__in=(*ATTEMPTED, MessageStatus.RECEIVED)) | Q(status=MessageStatus.CLAIMED, due_at__gt=now))
        .exclude(pk__any_of=[log.pk for log in logs])
        .annotate(made_at=Coalesce("begun_at", "outcome_at", "sent_at", "updated_at"))
        .filter(made_at__gte=since)
        .order_by()
    )
    found: dict[uuid.UUID, list[Contact]] = defaultdict(list)
    fields = (
        "debtor_id", "debt_id", "communication_type", "direction", "purpose", "status", "address", "outcome", "made_at",
        "created_at",
    )  # fmt: skip
    for (
        debtor,
        debt,
        channel,
        direction,
        purpose,
        status,
        address,
        outcome,
        made_at,
        created_at,
    ) in rows.values_list(*fields):
        inbound = direction == CommunicationLog.Direction.INBOUND
        if status == MessageStatus.CLAIMED and (owner := debtors.get(debtor)):
            address = suppressions.address(owner, channel)  # Where it will go is written down as the hand-over begins.
        meaning = records.OUTCOMES.get(outcome or "")
        contact = Contact(
            at=created_at if inbound else made_at,
            channel=channel,
            debt=debt,
            address=emails.normalise(address or ""),
            attempted=not inbound and purpose != Purpose.SOLICITED and (meaning is None or meaning.connected),
            connected=status != MessageStatus.BOUNCED,
            conversation=meaning is not None and meaning.conversation and meaning.with_debtor,
        )
        for whose_it_is in {debtor, *owners.get(contact.address, ())} - {None}:
            found[whose_it_is].append(contact)
    return found
