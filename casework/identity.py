"""Check the identity of a caller by what the person knows: birth date, postcode, the last digits of a debt's reference."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from agents.models import Agent, require_permission
from casework.models import IdentityCheck
from collection.models import Debt
from ddc.common import normal_forms
from ddc.common.errors import DomainError, Missing
from debtors.models import Debtor

#: So long after a passed check its agent may see the birth date: as long as a call lasts.
LASTS = timedelta(minutes=30)
#: So many digits or letters of a reference are enough.
LEAST_DIGITS = 4
_MOST_DEBTS = 200
#: The questions by their names in ``IdentityCheck``, as pages call them.
QUESTIONS = {"birth_date": "birth date", "postcode": "postcode", "reference": "last digits of a reference"}


class AnswerRequired(Missing):
    field = "birth_date"
    message = "Nothing was checked. Ask for the birth date, the postcode or the last digits of a reference."


class TooShort(DomainError):
    status = 422
    field = "reference"
    message = f"Too few digits. Ask for the last {LEAST_DIGITS} of the reference at least."


class NothingToCompare(DomainError):
    """The record lacks what the caller was asked for."""

    def __init__(self, question: str) -> None:
        super().__init__(f"No {QUESTIONS[question]} is recorded. Ask the caller for something else.", field=question)


def check(
    debtor: Debtor,
    *,
    birth_date: date | None = None,
    postcode: str = "",
    reference: str = "",
    by: Agent,
    now: datetime,
) -> IdentityCheck:
    """Compare a caller's answers with the record, and keep which were right. An empty answer was not asked for.

    :raises AnswerRequired: if there is no answer
    :raises TooShort: if there are fewer than ``LEAST_DIGITS`` of a reference
    :raises NothingToCompare: if the record lacks what was asked for
    :raises Forbidden: if the agent may not write notes on people
    """
    require_permission(by, "casework.add_note")
    given: dict[str, Any] = {"birth_date": birth_date, "postcode": _plain(postcode), "reference": _plain(reference)}
    if not any(given.values()):
        raise AnswerRequired
    if given["reference"] and len(_plain(reference)) < LEAST_DIGITS:
        raise TooShort
    known: dict[str, list[Any]] = {
        "birth_date": [debtor.dob] if debtor.dob else [],
        "postcode": [_plain(debtor.postal_code or "")] if debtor.postal_code else [],
        "reference": _references(debtor) if given["reference"] else [],
    }
    results: dict[str, Any] = {}
    for question, answer in given.items():
        if answer and not known[question]:
            raise NothingToCompare(question)
        results[question] = _is_right(question, answer, known[question]) if answer else None
    return IdentityCheck.objects.create(debtor=debtor, **results, by=by, created_at=now)


def recent(debtor: Debtor, *, by: Agent, now: datetime) -> QuerySet[IdentityCheck]:
    """Return the agent's checks of a person within ``LASTS``, the newest first: that one counts."""
    return IdentityCheck.objects.filter(debtor=debtor, by=by.pk, created_at__gt=now - LASTS)


def is_checked(debtor: Debtor, *, by: Agent, now: datetime) -> bool:
    """Return whether the agent's newest check of a person within ``LASTS`` was passed."""
    last = recent(debtor, by=by, now=now).values(*QUESTIONS).first()
    return last is not None and passed(last)


def passed(results: Mapping[str, bool | None]) -> bool:
    """Return whether all answers were right; ``results`` has those of a check by question."""
    return all(results[question] is not False for question in QUESTIONS)


def questions(results: Mapping[str, bool | None], *, right: bool) -> list[str]:
    """Return the names of the questions that were answered right, or wrong."""
    return [words for question, words in QUESTIONS.items() if results[question] is right]


def _is_right(question: str, answer: Any, known: list[Any]) -> bool:
    if question == "reference":
        return any(each.endswith(answer) for each in known)
    return answer in known


def _references(debtor: Debtor) -> list[str]:
    rows = Debt.objects.filter(debtor=debtor).exclude(external_reference=None).order_by("-created_at")
    return [_plain(each) for each in rows.values_list("external_reference", flat=True)[:_MOST_DEBTS] if each]


def _plain(text: str) -> str:
    """Return the letters and digits of a text, as people say them."""
    return "".join(each for each in normal_forms.reference(text) or "" if each.isalnum())
