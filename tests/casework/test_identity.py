"""Identity checks: a caller's answers are compared with the record, and only which were right is kept, for ever."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from casework import identity
from casework.models import IdentityCheck
from ddc.common.errors import DomainError, Forbidden
from debtors.models import Debtor
from tests import factories

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Debtor:
    debtor = factories.debtor(dob=date(1980, 5, 17), postal_code="BA1 2AB")
    factories.debt(debtor=debtor, external_reference="INV-0042-17")
    factories.debt(debtor=debtor)
    return debtor


def check(debtor: Debtor, **values: Any) -> IdentityCheck:
    return identity.check(debtor, **{"by": factories.agent("Agent"), "now": NOW} | values)


def results(found: IdentityCheck) -> tuple[Any, ...]:
    found.refresh_from_db()
    return found.birth_date, found.postcode, found.reference


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"birth_date": date(1980, 5, 17)}, (True, None, None)),
        ({"birth_date": date(1980, 5, 18)}, (False, None, None)),
        ({"postcode": " ba12ab "}, (None, True, None)),
        ({"postcode": "BA1 2AC"}, (None, False, None)),
        ({"postcode": "BA1"}, (None, False, None)),
        ({"reference": "4217"}, (None, None, True)),
        ({"reference": "inv 0042 17"}, (None, None, True)),
        ({"reference": "0042"}, (None, None, False)),
        ({"postcode": "BA1 2AB", "reference": "4218"}, (None, True, False)),
    ],
)
def test_each_answer_is_compared_as_people_say_it(person: Debtor, answers: Any, expected: Any):
    agent = factories.agent("Agent")
    found = check(person, **answers, by=agent)
    assert results(found) == expected
    assert identity.is_checked(person, by=agent, now=NOW) == (False not in expected)


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ({}, identity.AnswerRequired),
        ({"postcode": " - "}, identity.AnswerRequired),
        ({"reference": "217"}, identity.TooShort),
    ],
)
def test_too_little_is_no_check(person: Debtor, answers: Any, refusal: type[DomainError]):
    with pytest.raises(refusal):
        check(person, **answers)
    assert not IdentityCheck.objects.exists()


@pytest.mark.parametrize("answer", [{"birth_date": date(1980, 1, 1)}, {"postcode": "BA1"}, {"reference": "0001"}])
def test_what_is_not_recorded_cannot_be_asked(answer: Any):
    with pytest.raises(identity.NothingToCompare, match="is recorded"):
        check(factories.debtor(), **answer)
    assert not IdentityCheck.objects.exists()


def test_a_check_counts_for_its_agent_and_person_until_it_ends_or_a_later_one_fails(person: Debtor):
    agent, other = factories.agent("Agent"), factories.agent("Agent")
    check(person, postcode="BA1 2AB", by=agent)
    assert identity.is_checked(person, by=agent, now=NOW + identity.LASTS - timedelta(seconds=1))
    assert not identity.is_checked(person, by=agent, now=NOW + identity.LASTS)
    assert not identity.is_checked(person, by=other, now=NOW)
    assert not identity.is_checked(factories.debtor(), by=agent, now=NOW)
    check(person, postcode="BA1 2AC", by=agent, now=NOW + timedelta(minutes=1))
    assert not identity.is_checked(person, by=agent, now=NOW + timedelta(minutes=2))


def test_an_auditor_checks_nobody(person: Debtor):
    with pytest.raises(Forbidden):
        check(person, postcode="BA1 2AB", by=factories.agent("Auditor"))
    assert not IdentityCheck.objects.exists()


@pytest.mark.parametrize("change", ["DELETE FROM identity_check", "UPDATE identity_check SET postcode = true"])
def test_the_database_refuses_to_change_or_delete_a_check(person: Debtor, change: str):
    made = check(person, postcode="BA1 2AC")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert results(made) == (None, False, None)
