"""The facts that the gate needs about planned contacts, in a number of queries that does not depend on theirs.

The history of contacts and the template's flags, which only the table of messages has, come with the request.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db.models import Q

from agency import profile
from collection.models import Debt, Hold
from contact import addresses, limitation
from contact.engine.decision import Contact, ContactBlock, Facts, Purpose
from contact.engine.policies import DebtorKind, Location, NumberKind, Scope, Subject, location
from contact.limitation import Limitation, Period
from contact.models import ContactPreference, ValidationNotice
from creditors import creditors
from ddc.common.days import LAST, begun
from debtors import ages, consents, contact_points, number_plan
from debtors.channels import AddressKind, Channel
from debtors.models import Debtor
from debtors.places import places
from debtors.places.places import Place
from debtors.zones import possible_zones


@dataclass(frozen=True)
class TemplateFacts:
    """The flags of a contact's template. ``agency_has_notice``: there is an active template with the validation notice."""

    asks_for_payment: bool = False
    is_validation_notice: bool = False
    overshadows: bool = False
    agency_has_notice: bool = False


@dataclass(frozen=True)
class ContactRequest:
    """A planned contact: with whom, about which debt, by which channel.

    ``confirms_opt_out_to`` is the address to which an opt-out is confirmed, although it opted out; ``new_address`` one that is
    not the debtor's yet, and to which a code goes.
    """

    channel: Channel
    debtor: Debtor | None
    debt: Debt | None = None
    message_id: uuid.UUID | None = None
    purpose: Purpose = Purpose.COLLECTION
    expires_at: datetime | None = None
    confirms_opt_out_to: str | None = None
    new_address: str | None = None
    template: TemplateFacts = TemplateFacts()
    history: tuple[Contact, ...] = ()
    first_contacted_at: datetime | None = None

    @property
    def address(self) -> str:
        if self.confirms_opt_out_to is not None:
            return self.confirms_opt_out_to
        if self.new_address is not None:
            return contact_points.normal_form(self.new_address)
        return addresses.address(self.debtor, self.channel) if self.debtor else ""


@dataclass(frozen=True)
class _Fetched:
    """Rows of a batch of requests, by what they belong to."""

    unusable: contact_points.Unusable
    consents: Mapping[tuple[uuid.UUID, str, str], consents.Given]
    blocks: Mapping[uuid.UUID, list[ContactBlock]]
    preferences: Mapping[uuid.UUID, list[ContactPreference]]
    notices: Mapping[uuid.UUID, ValidationNotice]
    #: Of creditors whose kind of debts is known.
    debt_kinds: Mapping[uuid.UUID, str]
    #: The period after which the law forbids to collect a debt, where it is over, by debt.
    time_barred: Mapping[uuid.UUID, Period]
    #: Debtors who are not of age and not released.
    minors: Collection[uuid.UUID]


def gather(requests: Sequence[ContactRequest], *, now: datetime) -> list[Facts]:
    """Return the facts about each request, in their order."""
    checked = [request for request in requests if not request.purpose.is_at_once]
    debtors = {request.debtor.pk for request in checked if request.debtor}
    debts = {request.debt.pk for request in checked if request.debt}
    debt_kinds = _debt_kinds(request.debt for request in checked if request.debt)
    fetched = _Fetched(
        unusable=_unusable(requests),
        consents=consents.in_force(debtors, {request.address for request in checked if request.address}),
        blocks=_blocks(debtors, debts, now=now),
        preferences=_preferences(debtors),
        notices=ValidationNotice.objects.in_bulk(debts),
        debt_kinds=debt_kinds,
        time_barred=_time_barred(checked, debt_kinds, now=now),
        minors=_unreleased_minors((request.debtor for request in checked if request.debtor), now=now),
    )
    return [_facts(request, fetched) for request in requests]


def _debt_kinds(debts: Iterable[Debt]) -> dict[uuid.UUID, str]:
    """Return the kind of debts of each creditor; no query is made for those that were fetched with their debts."""
    known: dict[uuid.UUID, str] = {}
    unknown: set[uuid.UUID] = set()
    for debt in debts:
        if Debt.creditor.is_cached(debt):
            known[debt.creditor_id] = debt.creditor.debt_kind
        else:
            unknown.add(debt.creditor_id)
    return known | (creditors.debt_kinds(unknown) if unknown else {})


def _facts(request: ContactRequest, fetched: _Fetched) -> Facts:
    debtor, debt, channel, address = request.debtor, request.debt, request.channel, request.address
    template = request.template
    preferences = fetched.preferences.get(debtor.pk, []) if debtor else []
    about = [preference for preference in preferences if preference.is_about(channel)]
    shared = fetched.unusable.of_others.get((debtor.pk, channel.address_kind), ()) if debtor else ()
    notice = fetched.notices.get(debt.pk) if debt else None
    barred = fetched.time_barred.get(debt.pk) if debt else None
    is_minor = debtor is not None and debtor.pk in fetched.minors
    consent = fetched.consents.get((debtor.pk, channel, address)) if debtor else None
    return Facts(
        channel=channel,
        address=address,
        zones=zones(debtor, preferences) if debtor else frozenset(),
        agency_zone=profile.current().time_zone,
        locations=locations(debtor) if debtor else frozenset(),
        purpose=request.purpose,
        expires_at=request.expires_at,
        suppressed=request.confirms_opt_out_to is None and (channel, address) in fetched.unusable.suppressed,
        shared=address in shared or (bool(shared) and not address),
        refusal=" ".join(preference.statement for preference in about if preference.no_contact) or None,
        is_work_address=address in {contact_points.normal_form(p.work_address) for p in preferences if p.work_address},
        subject=subject(
            debtor, fetched.debt_kinds.get(debt.creditor_id, "") if debt else "", channel, is_minor=is_minor
        ),
        is_minor=is_minor,
        debt_id=debt.pk if debt else None,
        creditor_id=debt.creditor_id if debt else None,
        due_on=(debt.due_date or debt.placement_date) if debt else None,
        time_barred_by=barred.section if barred else "",
        time_barred_confidence=barred.confidence if barred else "",
        debt_is_closed=debt is not None and not debt.is_open,
        debt_is_disputed=debt is not None and debt.is_fully_disputed,
        blocks=tuple(block for row in (debtor, debt) if row for block in fetched.blocks.get(row.pk, ())),
        history=request.history,
        consented_at=consent.given_at if consent else None,
        consent_confirmed_at=consent.confirmed_at if consent else None,
        consent_basis=consent.basis if consent else "",
        preferences=tuple(preference.value for preference in about if preference.has_times),
        asks_for_payment=template.asks_for_payment,
        validation_notice_missing=template.agency_has_notice and debt is not None and notice is None,
        notice_sent_at=notice.sent_at if notice else None,
        first_contacted_at=request.first_contacted_at,
        is_validation_notice=template.is_validation_notice,
        overshadows=template.overshadows,
        validation_period_ends=notice.period_ends_on + timedelta(days=1) if notice else None,
    )


def subject(debtor: Debtor | None, debt_kind: str, channel: Channel, *, is_minor: bool = False) -> Subject:
    """Return what policies distinguish about a debtor, a debt of this kind and the number that a channel uses."""
    kind = ""
    if debtor:
        is_company = bool(debtor.legal_entity) and not debtor.first_name
        kind = DebtorKind.COMPANY if is_company else DebtorKind.MINOR if is_minor else DebtorKind.PERSON
    return Subject(_number_kind(debtor, channel), debt_kind, str(kind))


def _number_kind(debtor: Debtor | None, channel: Channel) -> str:
    """Return the kind of the debtor's number. One whose plan does not tell was given as a mobile phone."""
    if debtor is None or channel.address_kind == AddressKind.EMAIL or not debtor.mobile_phone:
        return ""
    is_fixed = number_plan.number(debtor.mobile_phone).kind == number_plan.NumberKind.FIXED
    return str(NumberKind.HOME if is_fixed else NumberKind.MOBILE)


def _time_barred(
    requests: Sequence[ContactRequest], debt_kinds: Mapping[uuid.UUID, str], *, now: datetime
) -> dict[uuid.UUID, Period]:
    today = begun(now)
    about = [(request.debt, locations(request.debtor)) for request in requests if request.debt and request.debtor]
    found = limitation.of_debts(about, debt_kinds=debt_kinds, today=today, barring_only=True)
    return {debt: its.period for debt, its in found.items() if its.is_over(today)}


def limitations(debts: Iterable[Debt], *, now: datetime) -> dict[uuid.UUID, Limitation]:
    """Return the limitation of each debt with a known period, by its id; the debtors of the debts are loaded."""
    known = list(debts)
    kinds = _debt_kinds(known)
    places = ((debt, locations(debt.debtor)) for debt in known)
    return limitation.of_debts(places, debt_kinds=kinds, today=begun(now))


def _unreleased_minors(debtors: Iterable[Debtor], *, now: datetime) -> set[uuid.UUID]:
    """Return who of these debtors is not of age, without those released by a supervisor, who ended their hold as a minor."""
    today = now.astimezone(LAST).date()
    young = {debtor.pk for debtor in debtors if debtor.dob and ages.is_minor(debtor.dob, today)}
    if not young:
        return young
    ended = Hold.objects.filter(debtor__any_of=young, reason=Hold.Reason.MINOR, ended_at__isnull=False)
    return young - set(ended.values_list("debtor_id", flat=True))


def locations(debtor: Debtor) -> frozenset[Location]:
    """Return where the debtor may be: by address, and by a foreign phone number."""
    number = number_plan.number(debtor.mobile_phone or "")
    place = places.find(debtor.country_code, debtor.region_state, debtor.city, debtor.postal_code)
    by_address = _of_address(place, debtor.city, debtor.postal_code) if place.country else frozenset()
    return by_address | (
        _of_phone(number.country, number.regions) if number.country not in (None, place.country) else frozenset()
    )


@lru_cache(maxsize=65_536)
def _of_address(place: Place, city: str | None, postal_code: str | None) -> frozenset[Location]:
    """Return a location for each possible region; without the city where the postcode is known to say more."""
    if place.is_postcode_known:
        city = None
    return frozenset(location(place.country, region, city, postal_code) for region in place.regions or {None})


@lru_cache(maxsize=4096)
def _of_phone(country: str, regions: frozenset[str]) -> frozenset[Location]:
    return frozenset(location(country, region) for region in regions or {None})


def zones(debtor: Debtor, preferences: Iterable[ContactPreference] = ()) -> frozenset[str]:
    """Return the time zones where the debtor may be: by address, by phone and by preferences."""
    evident = possible_zones(
        country_code=debtor.country_code,
        region_state=debtor.region_state,
        city=debtor.city,
        postal_code=debtor.postal_code,
        mobile_phone=debtor.mobile_phone,
    )
    return evident | {preference.time_zone for preference in preferences if preference.time_zone}


def _unusable(requests: Sequence[ContactRequest]) -> contact_points.Unusable:
    by_channel: dict[Channel, set[str]] = defaultdict(set)
    for request in requests:
        if request.debtor and request.address:
            by_channel[request.channel].add(request.address)
    return contact_points.unusable(by_channel, {request.debtor.pk for request in requests if request.debtor})


def _blocks(
    debtors: Collection[uuid.UUID], debts: Collection[uuid.UUID], *, now: datetime
) -> dict[uuid.UUID, list[ContactBlock]]:
    """Return the holds that block contact, by debtor or debt: those active on any day that it may be, and later ones."""
    rows = Hold.objects.filter(Q(debt__any_of=debts) | Q(debtor__any_of=debtors))
    rows = rows.filter(Q(blocks_contact=True) | Q(blocks_payment_requests=True))
    found: dict[uuid.UUID, list[ContactBlock]] = defaultdict(list)
    today = now.astimezone(LAST).date()
    for hold in rows.active_between(today, date.max).order_by("starts_on", "id"):
        scope, key = (Scope.DEBT, hold.debt_id) if hold.debt_id else (Scope.PERSON, hold.debtor_id)
        if key:
            found[key].append(ContactBlock(hold.reason, scope, hold.starts_on, hold.ends_on, not hold.blocks_contact))
    return found


def _preferences(debtors: Collection[uuid.UUID]) -> dict[uuid.UUID, list[ContactPreference]]:
    found: dict[uuid.UUID, list[ContactPreference]] = defaultdict(list)
    rows = ContactPreference.objects.active().filter(debtor__any_of=debtors)
    for preference in rows.order_by("created_at", "id"):
        found[preference.debtor_id].append(preference)
    return found
