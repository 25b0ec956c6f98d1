"""Rows with a known address and another name or date of birth wait for a person to decide."""

from datetime import date

import pytest

from audit.models import AuditEvent
from collection.models import Debt, ParkedPlacement
from collection.placements import decisions, loading
from ddc.common.errors import Forbidden
from ddc.common.postgresql import advisory_locks
from debtors.channels import AddressKind
from debtors.models import ContactPoint, Debtor
from payments import reconciliation
from tests import factories
from tests.collection.placements.files import ROW, counts, everything, load, load_case, text
from tests.strategy.makers import clock

pytestmark = pytest.mark.django_db
PLACEHOLDER = "02-placeholder-email.csv"
GUS = ROW | {"firstName": "Gus", "lastName": "Hale", "externalReference": "A-2", "mobilePhone": "+447400200002"}


def parked_gus(**change: str) -> ParkedPlacement:
    """Ann is known; Gus has her e-mail address."""
    load(text(ROW))
    assert [one.line for one in load(text(GUS | change)).parked] == [2]
    return ParkedPlacement.objects.get()


def placed(decide: object, row: ParkedPlacement) -> ParkedPlacement:
    return decide(row, by=factories.agent("Agent"), now=clock())  # type: ignore[operator, no-any-return]


def test_strangers_with_a_placeholder_address_are_parked():
    report = load_case(PLACEHOLDER)
    assert (counts(report), report.debtors) == ((1, 0, 0), 1)
    assert [(one.line, one.column, one.reason) for one in report.parked] == [
        (line, "email", "The debtor with this e-mail address has another name.") for line in (3, 4)
    ]
    assert Debt.objects.get().debtor.name == "Erin Falk"
    gus = ParkedPlacement.objects.get(line=3)
    assert gus.row["originalBalance"] == "2500.00"
    assert (gus.name, gus.dob, gus.cell("mobilePhone")) == ("Gus Hale", date(1985, 7, 12), "+447400200002")


def test_the_same_file_twice_parks_nothing_again():
    first = load_case(PLACEHOLDER)
    before = everything()
    again = load_case(PLACEHOLDER)
    assert (counts(again), again.parked) == ((0, 1, 0), first.parked)
    assert everything() == before
    assert ParkedPlacement.objects.count() == 2


def test_a_dry_run_parks_nothing():
    report = load_case(PLACEHOLDER, dry_run=True)
    assert [one.id for one in report.parked] == [None, None]
    assert not ParkedPlacement.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"firstName": "ANN", "lastName": " dóe"},
        {"firstName": "Doe", "lastName": "Ann"},
        {"firstName": "Ann Doe", "lastName": ""},
        {"firstName": "", "lastName": ""},
        {"dob": ""},
    ],
)
def test_spellings_of_the_known_name_are_not_parked(change):
    load(text(ROW | {"dob": "1979-03-01"}))
    report = load(text(ROW | {"dob": "1979-03-01", "externalReference": "A-2"} | change))
    assert (counts(report), report.parked) == ((1, 0, 0), [])
    assert Debtor.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"dob": "1979-03-02"}, "email"),
        ({"lastName": "Roe"}, "email"),
        ({"firstName": "", "lastName": "", "legalEntity": "Doe Ltd"}, "email"),
        ({"lastName": "Roe", "email": "", "mobilePhone": "+447400200001"}, "mobilePhone"),
        (
            {"lastName": "Roe", "email": "b@example.com", "mobilePhone": "0044 7400 200001", "countryCode": "GB"},
            "mobilePhone",
        ),
    ],
)
def test_another_name_or_birth_at_a_known_address_is_parked(change, column):
    known = ROW | {"dob": "1979-03-01", "mobilePhone": "+447400200001"}
    load(text(known))
    before = everything()
    report = load(text(ROW | {"dob": "1979-03-01", "externalReference": "A-2"} | change))
    assert (counts(report), [one.column for one in report.parked]) == ((0, 0, 0), [column])
    assert everything() == before


def test_same_person_places_the_row_for_the_known_debtor():
    row = placed(decisions.same_person, parked_gus())
    assert (row.decision, row.outcome, row.debt) == ("same", "accepted", Debt.objects.get(external_reference="A-2"))
    assert {debt.debtor.name for debt in Debt.objects.all()} == {"Ann Doe"}
    assert not ContactPoint.objects.filter(shared_at__isnull=False).exists()
    assert not list(reconciliation.differences())


def test_a_name_that_was_decided_to_be_the_same_is_not_parked_again():
    placed(decisions.same_person, parked_gus())
    assert counts(load(text(GUS))) == (0, 1, 0)
    assert counts(load(text(GUS | {"externalReference": "A-3"}))) == (1, 0, 0)
    assert len(load(text(GUS | {"externalReference": "A-4", "firstName": "Ida"})).parked) == 1


def test_another_person_is_created_without_the_shared_address():
    row = placed(decisions.another_person, parked_gus())
    ann, gus = Debtor.objects.order_by("created_at", "first_name")
    assert (row.outcome, gus.name, gus.email, gus.mobile_phone) == ("accepted", "Gus Hale", None, "+447400200002")
    assert Debt.objects.get(external_reference="A-2").debtor == gus
    marks = ContactPoint.objects.filter(value="ann@example.com").values_list(
        "debtor", "is_another_persons", "shared_at"
    )
    assert set(marks) == {(ann.pk, False, clock()), (gus.pk, True, clock())}
    assert not list(reconciliation.differences())


def test_rows_of_the_other_person_are_found_by_the_shared_address_and_the_name():
    placed(decisions.another_person, parked_gus())
    no_phone = GUS | {"mobilePhone": ""}
    assert counts(load(text(GUS))) == (0, 1, 0)
    report = load(text(no_phone | {"externalReference": "A-3"}, ROW | {"externalReference": "A-4"}))
    assert counts(report) == (2, 0, 0)
    assert Debt.objects.get(external_reference="A-3").debtor.name == "Gus Hale"
    assert Debt.objects.get(external_reference="A-4").debtor.name == "Ann Doe"
    assert len(load(text(no_phone | {"externalReference": "A-5", "lastName": "Hill"})).parked) == 1


def test_another_person_who_is_known_by_the_other_address_gets_the_debt():
    gus = factories.debtor(first_name="Gus", last_name="Hale", email="gus@example.com", mobile_phone="+447400200002")
    row = placed(decisions.another_person, parked_gus())
    assert (row.outcome, Debt.objects.get(external_reference="A-2").debtor) == ("accepted", gus)
    gus.refresh_from_db()
    assert gus.email == "gus@example.com"
    assert ContactPoint.objects.get(debtor=gus, value="ann@example.com", kind=AddressKind.EMAIL).is_another_persons


def test_a_row_is_decided_once():
    row = parked_gus()
    placed(decisions.another_person, row)
    before = everything()
    for decide in (decisions.same_person, decisions.another_person):
        with pytest.raises(decisions.AlreadyDecided):
            placed(decide, row)
    assert everything() == before


def test_an_auditor_does_not_decide():
    row = parked_gus()
    with pytest.raises(Forbidden):
        decisions.same_person(row, by=factories.agent("Auditor"), now=clock())
    row.refresh_from_db()
    assert row.decision is None


def test_what_the_import_refuses_after_the_decision_is_kept_with_the_reason():
    row = parked_gus()
    load(text(GUS | {"email": "gus@example.com", "originalBalance": "7"}))
    before = everything()
    row = placed(decisions.same_person, row)
    assert (row.outcome, row.debt) == ("refused", None)
    assert "The debt with this reference was placed with 7 GBP" in (row.reason or "")
    assert everything() == before


def test_a_refused_row_leaves_no_other_person_behind():
    row = parked_gus(mobilePhone="")
    load(text(GUS | {"email": "gus@example.com", "mobilePhone": "", "originalBalance": "7"}))
    before = everything()
    assert placed(decisions.another_person, row).outcome == "refused"
    assert everything() == before
    assert not ContactPoint.objects.filter(is_another_persons=True).exists()


def test_equal_parked_rows_are_debts_of_their_own():
    load(text(ROW))
    bare = GUS | {"externalReference": ""}
    assert len(load(text(bare, bare)).parked) == 2
    last, first = ParkedPlacement.objects.order_by("-occurrence")
    assert placed(decisions.another_person, last).outcome == "accepted"
    assert placed(decisions.another_person, first).outcome == "accepted"
    assert Debt.objects.filter(debtor__first_name="Gus").count() == 2
    assert counts(load(text(bare, bare))) == (0, 2, 0)


def test_a_parked_row_takes_the_day_of_its_file():
    placed(decisions.same_person, parked_gus())
    assert Debt.objects.get(external_reference="A-2").placement_date == clock().date()


def test_a_decision_waits_for_no_file(monkeypatch: pytest.MonkeyPatch):
    row = parked_gus()
    monkeypatch.setattr(advisory_locks, "try_lock", lambda *_: False)
    with pytest.raises(loading.ImportInProgress):
        placed(decisions.same_person, row)


def test_parking_and_deciding_are_in_the_change_log():
    placed(decisions.another_person, parked_gus())
    events = AuditEvent.objects.filter(table_name="parked_placement").order_by("id")
    assert [event.operation for event in events][:2] == ["insert", "update"]


def test_people_with_one_name_and_debtors_without_an_address_are_placed():
    report = load_case("11-mononym-and-null.csv")
    assert counts(report) == (4, 0, 0)
    assert {debtor.name for debtor in Debtor.objects.all()} == {"Suharto", "Sukarno", "Chris Null", "None N/A"}
    postal = {name: value for name, value in ROW.items() if name != "email"} | {"addressLine1": "1 High Street"}
    assert counts(load(text(postal | {"externalReference": "P-1"}, postal | {"externalReference": "P-2"}))) == (2, 0, 0)
    assert Debtor.objects.filter(email=None, mobile_phone=None).count() == 2
    assert counts(load(text(postal | {"externalReference": "P-1"}))) == (0, 1, 0)
    phone = postal | {"externalReference": "P-3", "mobilePhone": "+447400200009"}
    assert counts(load(text(phone, phone | {"externalReference": "P-4"}))) == (2, 0, 0)
    assert Debtor.objects.filter(mobile_phone="+447400200009").count() == 1
    report = load(text(postal | {"externalReference": ""}))
    assert [(one.column, one.reason) for one in report.refusals] == [
        ("email", "A row needs email, mobilePhone or externalReference.")
    ]
