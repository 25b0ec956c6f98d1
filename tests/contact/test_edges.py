"""One case on each side of each edge of each rule in the packs.

The cases are made from the text of the packs; the answers by plain arithmetic on days and minutes, without the gate's helpers.
"""

import tomllib
import uuid
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import holidays
import pytest

from contact import policy_packs
from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import Contact, Facts
from contact.engine.policies import Subject, location
from contact.models import ContactPolicy

DEBT, CREDITOR = uuid.UUID(int=1), uuid.UUID(int=2)
WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
#: A Wednesday noon on which every rule of the packs is in force but those that ended before.
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
EASTER = date(2027, 3, 28)


def rows():
    """Yield each rule of each pack as it is written, with what its pack gives for all of its rules."""
    for path in sorted(Path(policy_packs.PACKS).glob("*.toml")):
        pack = tomllib.loads(path.read_text(encoding="utf-8"))
        common = {name: value for name, value in pack.items() if name not in ("policy", "jurisdiction")}
        for row in pack["policy"]:
            yield pack["jurisdiction"], common | row


def having(*names):
    """Return the rules that demand one of these, as parameters of a test."""
    return [
        pytest.param(jurisdiction, row, id=f"{jurisdiction}/{row['code']}")
        for jurisdiction, row in rows()
        if all(row.get(name) for name in names)
    ]


HOURS, CAPS = having("hours"), having("max_contacts")


def asked(jurisdiction, row, now, **values):
    """Return the codes of the gate under this rule alone, for somebody and something that it is about."""
    rule = ContactPolicy(jurisdiction=jurisdiction, **row).value
    facts = Facts(
        channel=row.get("channels", ["email"])[0], address="x", zones=frozenset({"UTC"}), locations=place(row),
        debt_id=DEBT, creditor_id=CREDITOR,
        subject=Subject(row.get("number_kinds", [""])[0], row.get("debt_kinds", [""])[0]), **values,
    )  # fmt: skip
    return {reason.code.value for reason in gate.decide(facts, PolicySet([rule]), now).reasons}


def place(row):
    country, region = row.get("countries", ["ZA"])[0], row.get("regions", [None])[0]
    return frozenset({location(country, region, row.get("cities", [None])[0])})


def noon_in_force(row):
    """Return a Wednesday noon on which the rule is in force."""
    return datetime.combine(row["valid_to"] - timedelta(days=20), time(12), UTC) if "valid_to" in row else NOON


def span_on(row, day, special=None):
    """Return the minutes of a day from which and up to which the rule is open; None if it is closed."""
    found = None
    for part in row["hours"].split("; "):
        names, _, hours = part.rpartition(" ")
        for name in names.split(","):
            first, _, last = name.partition("-")
            is_week = first in WEEK and WEEK.index(first) <= day.weekday() <= WEEK.index(last or first)
            if first == "Sun" and last == "Thu":
                is_week = day.weekday() in (6, 0, 1, 2, 3)
            if name == special or (special is None and is_week):
                found = None if hours == "off" else [int(h[:2]) * 60 + int(h[3:]) for h in hours.split("-")]
    return found


@pytest.mark.parametrize(("jurisdiction", "row"), HOURS)
def test_the_hours_of_each_weekday_at_the_second(jurisdiction, row):
    for number in range(7):
        day = date(2026, 11, 16) + timedelta(days=number)
        midnight, span = datetime.combine(day, time(), UTC), span_on(row, day)
        if is_free_day(row, day):
            continue
        if span is None:
            assert asked(jurisdiction, row, midnight + timedelta(hours=12)) == {"WEEKDAY"}
            continue
        opens, closes = (midnight + timedelta(minutes=minutes) for minutes in span)
        assert asked(jurisdiction, row, opens) == set(), opens
        assert asked(jurisdiction, row, closes - timedelta(seconds=1)) == set(), closes
        if span[0]:
            assert asked(jurisdiction, row, opens - timedelta(seconds=1)) == {"OUTSIDE_WINDOW"}, opens
        if span[1] < 24 * 60:
            assert asked(jurisdiction, row, closes) == {"OUTSIDE_WINDOW"}, closes


def is_free_day(row, day):
    country, region = row.get("countries", ["ZA"])[0], row.get("regions", [None])[0]
    # Where the region is not known, the holidays of all of them count.
    regions = [region] if region else [None, *holidays.country_holidays(country).subdivisions]
    kept = (holidays.country_holidays(country, subdiv=code, years=day.year) for code in regions)
    return "holidays" in row["hours"] and any(day in calendar for calendar in kept)


@pytest.mark.parametrize(("jurisdiction", "row"), [param for param in HOURS if "holidays" in str(param.values[1])])
def test_the_holidays_of_the_country(jurisdiction, row):
    special = "national holidays" if "national holidays" in row["hours"] else "holidays"
    country = row.get("countries", ["ZA"])[0]
    kept = sorted(day for day in holidays.country_holidays(country, years=2027) if span_on(row, day))

    assert kept
    for day in kept:
        span = span_on(row, day, special)
        noon = datetime.combine(day, time(12), UTC)
        assert asked(jurisdiction, row, noon) == (set() if span else {"PUBLIC_HOLIDAY"}), day
        if span:
            after = datetime.combine(day, time(), UTC) + timedelta(minutes=span[1])
            assert asked(jurisdiction, row, after) == {"OUTSIDE_WINDOW"}, day


def test_quebec_keeps_easter_monday_and_24_june():
    (row,) = [row for jurisdiction, row in rows() if jurisdiction == "CA-QC"]
    for day in (EASTER + timedelta(days=1), date(2027, 6, 24)):
        assert asked("CA-QC", row, datetime.combine(day, time(12), UTC)) == {"PUBLIC_HOLIDAY"}
    assert asked("CA-QC", row, datetime.combine(EASTER + timedelta(days=2), time(12), UTC)) == set()


def contacts(row, now, number, *, oldest):
    """Return so many contacts that count: the oldest so many days ago, the others an hour ago."""
    what = {"channel": row.get("channels", ["email"])[-1], "debt_id": DEBT, "creditor_id": CREDITOR, "address": "x"}
    recent = [Contact(now - timedelta(hours=1), **what)] * (number - 1)
    return (*recent, Contact(now - timedelta(days=oldest), **what))


@pytest.mark.parametrize(("jurisdiction", "row"), CAPS)
def test_the_last_contact_that_a_cap_allows_and_the_first_that_it_does_not(jurisdiction, row):
    now, most = noon_in_force(row), row["max_contacts"]
    if "per_days" in row:
        inside, outside = row["per_days"] - 1, row["per_days"]
    else:
        assert row["per_calendar"] == "month"
        inside, outside = now.day - 1, now.day

    reached = contacts(row, now, most, oldest=inside or 0.1)
    assert asked(jurisdiction, row, now, history=reached) == {"TOO_MANY"}
    assert asked(jurisdiction, row, now, history=reached[:-1]) == set()
    assert asked(jurisdiction, row, now, history=contacts(row, now, most, oldest=outside)) == set()


@pytest.mark.parametrize(("jurisdiction", "row"), having("cooling_off_days"))
def test_the_last_day_of_a_cooling_off_period(jurisdiction, row):
    days = row["cooling_off_days"]
    for ago, expected in ((days - 1, {"COOLING_OFF"}), (days, set())):
        talk = Contact(NOON - timedelta(days=ago), "call_script", DEBT, conversation=True, attempted=False)
        assert asked(jurisdiction, row, NOON, history=(talk,)) == expected


@pytest.mark.parametrize(("jurisdiction", "row"), having("max_channels"))
def test_the_last_day_of_another_channel(jurisdiction, row):
    for ago, expected in ((row["per_days"] - 1, {"OTHER_CHANNEL"}), (row["per_days"], set())):
        assert asked(jurisdiction, row, NOON, history=(Contact(NOON - timedelta(days=ago), "sms", DEBT),)) == expected


@pytest.mark.parametrize(("jurisdiction", "row"), having("consent_needed"))
def test_consent_and_its_last_day(jurisdiction, row):
    last = row.get("consent_days", 3000)
    assert asked(jurisdiction, row, NOON) == {"CONSENT_MISSING"}
    assert asked(jurisdiction, row, NOON, consented_at=NOON + timedelta(seconds=1)) == {"CONSENT_MISSING"}
    assert asked(jurisdiction, row, NOON, consented_at=NOON - timedelta(days=last)) == set()
    late = asked(jurisdiction, row, NOON, consented_at=NOON - timedelta(days=last + 1))
    assert late == ({"CONSENT_TOO_OLD"} if "consent_days" in row else set())


@pytest.mark.parametrize(("jurisdiction", "row"), having("wait_days"))
def test_the_last_day_of_a_waiting_period(jurisdiction, row):
    for ago, expected in ((row["wait_days"] - 1, {"WAITING_PERIOD"}), (row["wait_days"], set())):
        since = NOON - timedelta(days=ago)
        event, begun = ("notice_sent_at", since) if row["wait_from"] == "notice" else ("due_on", since.date())
        assert asked(jurisdiction, row, NOON, **{event: begun}) == expected


@pytest.mark.parametrize(("jurisdiction", "row"), having("notice_days"))
def test_the_last_day_for_the_validation_notice(jurisdiction, row):
    for ago, expected in ((row["notice_days"], set()), (row["notice_days"] + 1, {"VALIDATION_NOTICE_FIRST"})):
        first = NOON - timedelta(days=ago)
        assert asked(jurisdiction, row, NOON, validation_notice_missing=True, first_contacted_at=first) == expected


@pytest.mark.parametrize(("jurisdiction", "row"), CAPS)
def test_the_first_day_of_a_cap_and_the_day_before(jurisdiction, row):
    first = datetime.combine(row["valid_from"], time(12), UTC)
    for now, expected in ((first - timedelta(days=1), set()), (first, {"TOO_MANY"})):
        many = [Contact(now - timedelta(minutes=n), row.get("channels", ["email"])[0], DEBT) for n in range(1, 12)]
        assert asked(jurisdiction, row, now, history=tuple(many)) == expected


def test_every_rule_has_an_edge_here():
    edges = {"hours", "max_contacts", "cooling_off_days", "max_channels", "consent_needed", "wait_days", "notice_days"}
    assert [row["code"] for _, row in rows() if not edges & set(row)] == []
