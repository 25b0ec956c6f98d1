"""The list of suppressed addresses became part of the contact points: nobody who had said stop is written to again."""

from importlib import import_module

import pytest
from django.db import connection

from debtors import contact_points
from debtors.models import ContactPoint, Medium
from tests import factories

pytestmark = pytest.mark.django_db

MIGRATION = import_module("debtors.migrations.0003_contact_points")
#: As it was.
TABLE = """
CREATE TABLE suppression (
    id uuid PRIMARY KEY, created_at timestamptz, updated_at timestamptz, medium varchar(5), address varchar(254),
    reason varchar(10), source varchar(255), UNIQUE (medium, address)
)
"""
BEFORE = [
    ("email", "john@example.com", "opted_out", "Their own link"),
    ("email", "nobody@example.com", "bounced", "550"),
    ("email", "angry@example.com", "complained", "The provider"),
    ("sms", "+447700900001", "opted_out", "They wrote: STOP"),
    ("voice", "+447700900001", "opted_out", "They pressed 9"),
    ("voice", "+447700900002", "opted_out", "They pressed 9"),
]


@pytest.fixture
def migrated():
    """A debtor, and some addresses on the list, after the migration's statements for data have run."""
    debtor = factories.debtor(email="John@Example.com", mobile_phone="+447700900001")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM contact_point")
        cursor.execute(TABLE)
        cursor.executemany(
            "INSERT INTO suppression VALUES (uuidv7(), '2026-01-05', '2026-01-05', %s, %s, %s, %s)", BEFORE
        )
        cursor.execute(MIGRATION._FILL)
    return debtor


def test_every_debtors_addresses_are_there_and_whose_they_are(migrated):
    assert set(migrated.contact_points.values_list("kind", "value")) == {
        ("email", "john@example.com"), ("phone", "+447700900001")
    }  # fmt: skip


def test_what_was_suppressed_still_is_and_nothing_else(migrated):
    stopped = contact_points.suppressed({
        Medium.EMAIL: {"john@example.com", "nobody@example.com", "angry@example.com", "fine@example.com"},
        Medium.SMS: {"+447700900001", "+447700900002"},
        Medium.VOICE: {"+447700900001", "+447700900002"},
    })  # fmt: skip
    assert {(str(medium), value) for medium, value in stopped} == {(medium, value) for medium, value, *_ in BEFORE}


def test_it_is_still_known_why_when_and_how(migrated):
    by_value = {point.value: point for point in ContactPoint.objects.all()}
    assert [by_value[value].stops for value in ("john@example.com", "nobody@example.com", "angry@example.com")] == [
        ["opted out"], ["bounced"], ["complained"]
    ]  # fmt: skip
    both = by_value["+447700900001"]
    assert (both.stops, both.opted_out_how, both.calls_opted_out_how) == (
        ["opted out", "no calls"], "They wrote: STOP", "They pressed 9"
    )  # fmt: skip
    assert f"{both.opted_out_at:%Y-%m-%d}" == "2026-01-05"
    assert by_value["nobody@example.com"].bounces == 1
    assert by_value["nobody@example.com"].debtor is None


def test_and_back_again(migrated):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM suppression")
        cursor.execute(MIGRATION._EMPTY_AGAIN)
        cursor.execute("SELECT medium, address, reason, source FROM suppression")
        assert sorted(cursor.fetchall()) == sorted(BEFORE)
