"""Decide who owes the debt of a parked placement row, once, and place it by the import's own rule.

"Same person": the debt is the known debtor's, and later rows with this name and date of birth are too. "Another person": the
debt is another debtor's, who is found by the row's other address or created. A new debtor does not get an address that is
another's; it is marked as shared at both, and nothing about the new debtor's debts is sent there.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, require_permission
from collection.models import Debt, ParkedPlacement
from collection.placements import loading
from collection.placements.file import OF_DEBTOR
from collection.placements.people import Person, difference
from collection.placements.posting import Decided
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from debtors import contact_points, debtors, emails, phones
from debtors.channels import AddressKind
from debtors.models import Debtor

Decision, Outcome = ParkedPlacement.Decision, ParkedPlacement.Outcome
_RESULT = ("outcome", "reason", "debt", "updated_at")
_FIELDS = {AddressKind.EMAIL: "email", AddressKind.PHONE: "mobile_phone"}


class AlreadyDecided(DomainError):
    """The row was decided before."""

    message = "This row has been decided already."


class SamePerson(DomainError):
    """The row does not differ from the debtor any more, so there is no other person."""

    message = "The row has the known debtor's name and date of birth now. Decide that it is the same person."


@dataclass(frozen=True)
class _Owner:
    """The debtor to whom an address of the row belongs."""

    kind: AddressKind
    value: str
    debtor: Debtor


@transaction.atomic
def same_person(row: ParkedPlacement, *, by: Agent | None, now: datetime) -> ParkedPlacement:
    """Decide that a parked row is the known debtor's, and place it.

    :raises AlreadyDecided: if it was decided before
    :raises Forbidden: if the agent may not decide
    :raises ImportInProgress: if a placement file is being loaded
    """
    row = _decide(row, Decision.SAME, by=by, now=now)
    return place(row, row.debtor, by=by, now=now)


@transaction.atomic
def another_person(row: ParkedPlacement, *, by: Agent | None, now: datetime) -> ParkedPlacement:
    """Decide that a parked row is another person's than the known debtor's, and place it.

    :raises SamePerson: if the known debtor has the row's name and date of birth by now
    :raises DomainError: like ``same_person``
    """
    row = _decide(row, Decision.ANOTHER, by=by, now=now)
    person = _person(row)
    if difference(person, _of(row.debtor)) is None:
        raise SamePerson
    owners = _owners(row)
    known = next((one.debtor for one in owners if difference(person, _of(one.debtor)) is None), None)
    others = [one for one in owners if one.debtor != known]
    point = transaction.savepoint()
    debtor = known or _create(row, others, now=now)
    for one in others:
        contact_points.share(one.value, kind=one.kind, owner=one.debtor, other=debtor, now=now)
    row = place(row, debtor, by=by, now=now)
    if row.outcome == Outcome.ACCEPTED:
        transaction.savepoint_commit(point)
    else:
        transaction.savepoint_rollback(point)
        row.save(update_fields=_RESULT)
    return row


def lock(row: ParkedPlacement) -> ParkedPlacement:
    """Lock a row and return its current values, so that of two deciders the second sees the first one's decision."""
    return ParkedPlacement.objects.select_for_update(of=["self"]).select_related("debtor").get(pk=row.pk)


def _decide(
    row: ParkedPlacement, decision: ParkedPlacement.Decision, *, by: Agent | None, now: datetime
) -> ParkedPlacement:
    require_permission(by, "collections.decide_parkedplacement")
    row = lock(row)
    if row.decision is not None:
        raise AlreadyDecided
    row.decision, row.decided_at, row.decided_by = decision, now, by
    row.save(update_fields=["decision", "decided_at", "decided_by", "updated_at"])
    return row


def place(row: ParkedPlacement, debtor: Debtor, *, by: Agent | None, now: datetime) -> ParkedPlacement:
    """Place the row as the only one of a file, and keep what became of it."""
    cells = {"placementDate": row.placed_on.isoformat(), **row.row}
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(cells))
    writer.writeheader()
    writer.writerow(cells)
    equal = ParkedPlacement.objects.filter(digest=row.digest, debt__debtor=debtor).count()
    decided = Decided(debtor.pk, equal_rows=equal)
    data = io.BytesIO(file.getvalue().encode())
    report = loading.load(data, by=by, decided=decided, today=agency_today(now), now=now)
    row.outcome = Outcome.ACCEPTED if report.accepted else Outcome.KNOWN if report.known else Outcome.REFUSED
    row.reason = " ".join(f"{one.column or 'The row'}: {one.reason}" for one in report.refusals) or None
    row.debt = Debt.objects.filter(debtor=debtor, created_at=now).order_by("-id").first() if report.accepted else None
    row.save(update_fields=_RESULT)
    return row


def _owners(row: ParkedPlacement) -> list[_Owner]:
    """Return the debtors to whom the row's addresses belong."""
    email, phone = row.cell("email"), row.cell("mobilePhone")
    forms = (
        (AddressKind.EMAIL, emails.normal_form(email) if email else None, "normal_email"),
        (AddressKind.PHONE, phones.normal_form(phone) if phone else None, "normal_phone"),
    )
    found = []
    for kind, value, field in forms:
        debtor = Debtor.objects.filter(**{field: value}).first() if value else None
        if value and debtor:
            found.append(_Owner(kind, value, debtor))
    return found


def _create(row: ParkedPlacement, others: list[_Owner], *, now: datetime) -> Debtor:
    """Create the other person, without the addresses of others."""
    fields: dict[str, Any] = {column: row.cell(name) for name, column in OF_DEBTOR.items()}
    fields |= {_FIELDS[one.kind]: None for one in others}
    return debtors.create(**fields | {"dob": row.dob}, by_file=True, today=agency_today(now))


def _person(row: ParkedPlacement) -> Person:
    return Person(row.cell("firstName"), row.cell("lastName"), row.cell("legalEntity"), row.dob)


def _of(debtor: Debtor) -> Person:
    return Person(debtor.first_name, debtor.last_name, debtor.legal_entity, debtor.dob)
