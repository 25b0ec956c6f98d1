"""Propose an arrangement: store what ``computation`` found, with its debts, shares and instalments."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from agents.models import Agent, require_permission
from arrangements import computation, effects
from arrangements.computation import DebtOfAnotherDebtor, DebtsRequired, Offer, Schedule
from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent, Instalment, Kind
from collection.balances import ledger
from collection.models import Debt
from debtors import calendars
from debtors.models import Debtor


@transaction.atomic
def propose(
    kind: Kind,
    *,
    debtor: Debtor,
    debt_ids: Collection[uuid.UUID],
    schedule: Schedule,
    total: Decimal | None = None,
    discount: Decimal | None = None,
    percent: Decimal | None = None,
    by: Agent | None,
    source: Arrangement.Source,
    note: str = "",
    creditor_consent: str = "",
    now: datetime,
) -> Arrangement:
    """Store an arrangement: ``offered``, or ``pending_approval`` if it needs another person or the creditor.

    :param percent: the discount in percent of the balance, instead of ``discount``
    :param by: the agent, None for the debtor
    :raises Forbidden: if ``by`` may not
    :raises DomainError: as ``compute`` does
    """
    if by:
        require_permission(by, "arrangements.add_arrangement")
    if not debt_ids:
        raise DebtsRequired
    debts = lock(debt_ids)
    if percent is not None:
        balance = sum(computation.owed(debts.values(), calendars.today(debtor, at=now)).values(), Decimal(0))
        discount = computation.settlement(balance, percent, next(iter(debts.values())).currency_code)[1]
    offer = computation.compute(
        kind, list(debts.values()), debtor=debtor, schedule=schedule, total=total, discount=discount, by=by, now=now
    )
    return _store(offer, debts, debtor=debtor, by=by, source=source, note=note, consent=creditor_consent, now=now)


def lock(debt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Debt]:
    """Lock debts that a caller named, and return their current rows.

    :raises DebtOfAnotherDebtor: if one does not exist
    """
    try:
        return ledger.lock_debts(debt_ids)
    except ledger.NoSuchDebt:
        raise DebtOfAnotherDebtor from None


def _store(
    offer: Offer,
    debts: Mapping[uuid.UUID, Debt],
    *,
    debtor: Debtor,
    by: Agent | None,
    source: Arrangement.Source,
    note: str,
    consent: str,
    now: datetime,
) -> Arrangement:
    terms = offer.rules.terms
    arrangement = Arrangement.objects.create(
        debtor=debtor,
        creditor=offer.creditor,
        currency_code=offer.currency,
        kind=offer.kind,
        status=offer.status,
        total=offer.total,
        discount=offer.discount,
        frequency=offer.schedule.frequency,
        business_days=offer.schedule.business_days,
        source=source,
        note=note,
        needs=[asdict(need) for need in offer.needs],
        creditor_consent=consent,
        policy=offer.rules.policy,
        grace_days=terms.grace_days,
        tolerance_amount=terms.tolerance_amount,
        tolerance_percent=terms.tolerance_percent,
        missed_to_break=terms.missed_to_break,
        self_reinstate_days=terms.self_reinstate_days,
        clearing_days=terms.clearing_days,
        interest=terms.interest,
        proposed_by=by,
        anchored_on=offer.schedule.first,
        starts_on=offer.today,
        expires_on=offer.valid_until,
        created_at=now,
    )
    balances = computation.owed(debts.values(), offer.today)
    split = computation.shares(offer.total, balances, offer.currency)
    ArrangementDebt.objects.bulk_create(
        ArrangementDebt(arrangement=arrangement, debt=debt, share=split[pk], balance_at_start=balances[pk])
        for pk, debt in debts.items()
    )
    Instalment.objects.bulk_create(
        Instalment(arrangement=arrangement, no=due.no, agreed_on=due.agreed_on, due_on=due.due_on, amount=due.amount)
        for due in offer.instalments
    )
    effects.record(arrangement, ArrangementEvent.Kind.PROPOSED, by=by, now=now)
    return arrangement
