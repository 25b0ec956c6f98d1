"""Placement files: every row accounted for, known debts never touched, nothing half done."""

import csv
import io
import runpy
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection import debts
from collection.models import Debt, LedgerEntry
from collection.placements.file import COLUMNS
from collection.placements.lines import BrokenFile
from collection.segments import records
from debtors.models import Debtor
from tests import factories
from tests.collection.placements.files import ROW, counts, everything, load, text
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db

EXAMPLES = Path(__file__).parents[3] / "examples"


def refused(row: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Load a row that must be refused and change nothing; return the faults."""
    before = everything()
    report = load(text(row))
    assert counts(report) == (0, 0, 1)
    assert everything() == before
    return [(refusal.column, refusal.reason) for refusal in report.refusals]


def test_a_row_becomes_a_debtor_and_a_debt_with_its_placement_in_the_ledger():
    row = ROW | {
        "mobilePhone": "07400 123456", "dob": "1980-01-15", "countryCode": "gb", "languagePreference": "English",
        "regionState": "Greater London", "placementDate": "2026-06-01", "dueDate": "2026-07-01", "p2pScore": "0.75",
        "currentStatus": "payment_plan",
    }  # fmt: skip
    assert counts(load(text(row))) == (1, 0, 0)
    debtor, debt, entry = Debtor.objects.get(), Debt.objects.get(), LedgerEntry.objects.get()
    assert (debtor.name, debtor.email, debtor.mobile_phone) == ("Ann Doe", "ann@example.com", "+447400123456")
    assert (debtor.dob, debtor.country_code, debtor.language_preference) == (date(1980, 1, 15), "GB", "en")
    assert debtor.created_at == debt.created_at == clock()
    assert (debt.debtor, debt.original_creditor, debt.external_reference) == (debtor, "Acme", "A-1")
    assert (debt.original_balance, debt.current_balance, debt.currency_code) == (100, 100, "GBP")
    assert (debt.current_status, debt.placement_date, debt.due_date) == (
        "payment_plan",
        date(2026, 6, 1),
        date(2026, 7, 1),
    )
    assert debt.p2p_score == Decimal("0.750")
    assert (entry.debt, entry.kind, entry.amount, entry.currency_code) == (debt, "placement", 100, "GBP")
    assert (entry.value_date, entry.cause, entry.by) == (date(2026, 6, 1), {"type": "placement"}, None)


def test_a_loaded_debt_equals_one_placed_by_the_domain_function():
    load(text(ROW | {"currentBalance": "0"}, ROW | {"externalReference": "A-2", "currentBalance": "40"}))
    for debt in Debt.objects.all():
        like = factories.debt(
            debtor=debt.debtor, original_creditor="Acme", original_balance=Decimal(100), placement_date=None,
            current_balance=debt.current_balance.normalize(), today=TODAY,
        )  # fmt: skip
        own = {"id", "created_at", "updated_at", "external_reference", "normal_reference"}
        same = [field.attname for field in Debt._meta.concrete_fields if field.attname not in own]
        assert {name: getattr(debt, name) for name in same} == {name: getattr(like, name) for name in same}
        shape = ("kind", "amount", "currency_code", "value_date", "by", "cause", "payment_id")
        assert list(debt.ledger_entries.values_list(*shape)) == list(like.ledger_entries.values_list(*shape))


def test_a_smaller_current_balance_is_an_adjustment_and_0_is_paid():
    load(text(ROW | {"currentBalance": "40.00"}, ROW | {"externalReference": "A-2", "currentBalance": "0"}))
    part, whole = Debt.objects.order_by("external_reference")
    assert (part.current_balance, part.current_status) == (40, "active")
    assert (whole.current_balance, whole.current_status) == (0, "paid")
    for debt in (part, whole):
        placed, adjusted = debt.ledger_entries.all()
        assert (placed.kind, adjusted.kind) == ("placement", "adjustment")
        assert placed.amount + adjusted.amount == debt.current_balance
        assert adjusted.value_date == TODAY


def test_defaults_are_the_apis():
    row = {"email": "a@example.com", "legalEntity": "A Ltd", "originalBalance": "5", "originalCreditor": "Acme"}
    load(text(row))
    debt = Debt.objects.get()
    assert (debt.currency_code, debt.current_balance, debt.current_status) == ("USD", 5, "active")
    assert (debt.placement_date, debt.due_date, debt.external_reference) == (TODAY, None, None)


def test_a_row_without_creditor_takes_the_creditor_of_the_file():
    bare = {name: value for name, value in ROW.items() if name != "originalCreditor"}
    assert counts(load(text(bare), creditor="Beta")) == (1, 0, 0)
    assert counts(load(text(ROW), creditor="Beta")) == (1, 0, 0)
    assert {debt.original_creditor for debt in Debt.objects.all()} == {"Acme", "Beta"}


def test_a_loaded_debt_is_assigned_at_once():
    low = records.create(name="low", priority=1, max_p2p_score=Decimal("0.5"))
    records.create(name="high", priority=2, min_p2p_score=Decimal("0.5"))
    pinned = records.create(name="pinned", priority=3, is_active=False)
    load(
        text(
            ROW | {"p2pScore": "0.1"},
            ROW | {"externalReference": "A-2"},
            ROW | {"externalReference": "A-3", "segmentId": str(pinned.pk)},
            ROW | {"externalReference": "A-4", "p2pScore": "0.1", "currentBalance": "0"},
        )
    )
    found = Debt.objects.order_by("external_reference").values_list("segment_id", "segment_is_pinned")
    assert list(found) == [(low.pk, False), (None, False), (pinned.pk, True), (None, False)]


def test_the_same_file_twice_adds_nothing():
    plain = {name: value for name, value in ROW.items() if name != "externalReference"}
    file = text(ROW, plain, plain | {"placementDate": "2026-01-01"}, plain | {"originalBalance": "7"})
    assert counts(load(file)) == (4, 0, 0)
    before = everything()
    assert counts(load(file, today=TODAY + timedelta(days=1))) == (0, 4, 0)
    assert everything() == before


def test_known_debts_and_debtors_stay_unchanged():
    load(text(ROW))
    before = everything()
    changed = ROW | {
        "city": "Leeds",
        "mobilePhone": "+447700900999",
        "currentStatus": "disputed",
        "dueDate": "2026-09-01",
    }
    assert counts(load(text(changed))) == (0, 1, 0)
    assert everything() == before


def test_a_repeated_reference_is_one_debt():
    assert counts(load(text(ROW, ROW | {"city": "Leeds"}))) == (1, 1, 0)
    assert Debtor.objects.get().email == "ann@example.com"


def test_a_reference_whose_first_row_is_refused_is_taken_from_the_second():
    for known in ({"email": "x@example.com"}, {"mobile_phone": "+447700900555"}):
        factories.debtor(first_name="Ann", **known)
    conflicting = ROW | {"email": "x@example.com", "mobilePhone": "+447700900555"}
    wrong = ROW | {"externalReference": "A-2", "p2pScore": "2"}
    assert counts(load(text(conflicting, ROW, wrong, ROW | {"externalReference": "A-2"}))) == (2, 0, 2)


def test_the_same_reference_of_another_creditor_is_another_debt():
    assert counts(load(text(ROW, ROW | {"originalCreditor": "Beta"}))) == (2, 0, 0)


def test_spellings_of_a_creditor_share_its_references():
    spellings = [ROW | {"originalCreditor": name} for name in ("Acme Ltd", "ACME LTD", "Acme  Ltd", "acme ltd.")]
    assert counts(load(text(*spellings))) == (1, 3, 0)
    assert counts(load(text(spellings[1]))) == (0, 1, 0)
    assert Debt.objects.get().original_creditor == "Acme Ltd"


def test_an_alias_is_its_creditor():
    acme = factories.creditor("Acme Group", aliases=["Acme"])
    assert counts(load(text(ROW, ROW | {"originalCreditor": "ACME GROUP"}))) == (1, 1, 0)
    assert Debt.objects.get().creditor == acme


@pytest.mark.parametrize("reference", ["A-1", ""])
def test_a_recalled_debt_may_be_placed_again(reference: str):
    row = ROW | {"externalReference": reference}
    load(text(row))
    debts.amend(Debt.objects.get(), current_status="recalled", by=None, today=TODAY)
    assert counts(load(text(row))) == (1, 0, 0)
    assert counts(load(text(row))) == (0, 1, 0)


def test_a_debtor_is_known_by_address_in_any_case_or_by_phone():
    ann = factories.debtor(first_name="Ann", email="Ann@Example.com", mobile_phone="+447400123456")
    by_phone = ROW | {
        "externalReference": "A-2",
        "email": "new@example.com",
        "mobilePhone": "07400 123456",
        "countryCode": "GB",
    }
    assert counts(load(text(ROW, by_phone))) == (2, 0, 0)
    assert {debt.debtor for debt in Debt.objects.all()} == {ann}
    assert Debtor.objects.count() == 1


def test_rows_of_one_new_debtor_create_one():
    rows = [
        ROW | {"mobilePhone": "+447700900001"},
        ROW | {"externalReference": "A-2", "email": "ANN@example.com", "mobilePhone": "+447700900002"},
        ROW | {"externalReference": "A-3", "email": "ann.doe@example.com", "mobilePhone": "+447700900001"},
        ROW | {"externalReference": "A-4", "firstName": "", "lastName": ""},
    ]
    report = load(text(*rows))
    assert counts(report) == (4, 0, 0)
    assert report.debtors == 1
    debtor = Debtor.objects.get()
    assert (debtor.email, debtor.mobile_phone) == ("ann@example.com", "+447700900001")


def test_a_chain_of_shared_phones_and_addresses_is_followed_to_its_end():
    rows = [
        ROW
        | {
            "externalReference": f"A-{n}",
            "email": f"p{(n + 1) // 2}@example.com",
            "mobilePhone": f"+4477009{n // 2:05d}",
        }
        for n in range(40)
    ]
    report = load(text(*rows))
    assert report.accepted == Debt.objects.count()
    before = everything()
    assert load(text(*rows)).accepted == 0
    assert everything() == before


def test_a_row_that_names_two_debtors_is_refused():
    factories.debtor(first_name="Ann", email="ann@example.com")
    factories.debtor(first_name="Ann", mobile_phone="+447700900555")
    assert refused(ROW | {"mobilePhone": "+447700900555"}) == [("mobilePhone", "Another debtor has this phone.")]


def test_only_a_new_debtor_needs_a_name():
    nameless = {name: value for name, value in ROW.items() if name not in ("firstName", "lastName")}
    assert [column for column, _ in refused(nameless)] == ["firstName"]
    factories.debtor(email="ann@example.com")
    assert counts(load(text(nameless))) == (1, 0, 0)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "ann"), ("email", "a@" + "b" * 250 + ".com"), ("originalCreditor", ""),
        ("originalBalance", ""), ("originalBalance", "0"), ("originalBalance", "-1"), ("originalBalance", "1,000.00"),
        ("originalBalance", "1e3"), ("originalBalance", "NaN"), ("originalBalance", "١٢"), ("originalBalance", "1_000"),
        ("originalBalance", "9" * 17), ("originalBalance", "9" * 50), ("originalBalance", "1.001"),
        ("currentBalance", "-0.01"), ("currentBalance", "x"), ("currentBalance", "0.001"), ("currencyCode", "EURO"),
        ("countryCode", "XX"), ("languagePreference", "Klingonese"), ("mobilePhone", "12"), ("mobilePhone", "call me"),
        ("dob", "2026-06-30"), ("dob", "2999-01-01"),
        ("dob", "1800-01-01"), ("placementDate", "2026-02-30"),
        ("placementDate", "yesterday"), ("placementDate", "0001-01-01"), ("placementDate", "2099-01-01"),
        ("dueDate", "2099-01-01"), ("placementDate", "2026-1-1"), ("dueDate", "infinity"), ("dueDate", "0000-01-01"),
        ("p2pScore", "1.1"), ("p2pScore", "-0.1"), ("p2pScore", "0.1234"), ("p2pScore", "high"),
        ("currentStatus", "paid"), ("currentStatus", "sleeping"), ("firstName", "x" * 101), ("city", "x" * 256),
        ("externalReference", "x" * 256), ("segmentId", "x"), ("segmentId", "01890000-0000-7000-8000-000000000000"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_refused_on_its_column(column, value):
    assert [place for place, _ in refused(ROW | {column: value})] == [column]


def test_decimals_depend_on_the_currency():
    assert refused(ROW | {"currencyCode": "JPY", "originalBalance": "10.5"}) == [
        ("originalBalance", "JPY has no decimals.")
    ]
    assert refused(ROW | {"originalBalance": "10.505"}) == [("originalBalance", "GBP has 2 decimals.")]
    assert refused(ROW | {"originalBalance": "1.000"}) == [("originalBalance", "GBP has 2 decimals.")]
    good = [
        ROW | {"currencyCode": "KWD", "originalBalance": "10.505"},
        ROW | {"externalReference": "A-2", "currencyCode": "jpy", "originalBalance": "10"},
    ]
    assert counts(load(text(*good))) == (2, 0, 0)


def test_all_faults_of_a_row_are_reported_and_other_rows_accepted():
    report = load(text(ROW | {"email": "x", "originalBalance": "-1", "dob": "soon"}, ROW))
    assert counts(report) == (1, 0, 1)
    assert {(refusal.line, refusal.column) for refusal in report.refusals} == {
        (2, "email"), (2, "originalBalance"), (2, "dob"),
    }  # fmt: skip


def test_lines_are_counted_through_multiline_cells_and_blank_lines():
    file = (
        "email,firstName,lastName,addressLine1,originalCreditor,originalBalance\r\n"
        'a@example.com,A,A,"1 High Street\r\nFlat 2\r\nRear",Acme,1\r\n'
        "\r\n"
        ",,,,,\r\n"
        "b@example.com,B,B,,Acme,wrong\r\n"
        "c@example.com,C,C,,Acme\r\n"
        "d@example.com,D,D,,Acme,1,,\r\n"
        "e@example.com,E,E,,Acme,1,too,much\r\n"
    )
    report = load(file)
    assert counts(report) == (2, 0, 3)
    assert [(refusal.line, refusal.column) for refusal in report.refusals] == [
        (7, "originalBalance"),
        (8, None),
        (10, None),
    ]
    assert "Flat 2" in (Debtor.objects.get(email="a@example.com").address_line1 or "")


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_utf8_with_or_without_bom_and_commas_or_semicolons_are_read(delimiter, bom, newline):
    file = bom + text(ROW | {"firstName": "Zoë; Łukasz, 東京"}, delimiter=delimiter).replace("\r\n", newline)
    assert counts(load(file)) == (1, 0, 0)
    assert Debtor.objects.get().first_name == "Zoë; Łukasz, 東京"


def test_sql_in_a_cell_is_plain_text():
    nasty = "'; DROP TABLE debt; -- \\N \\. {x} %s"
    assert counts(load(text(ROW | {"city": nasty, "externalReference": "\\."}))) == (1, 0, 0)
    assert Debtor.objects.get().city == nasty


GOOD = text(ROW)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"email,originalBalance\n", "Missing columns: originalCreditor"),
        (b"originalCreditor\n", "Missing columns: originalBalance"),
        (GOOD.replace("lastName", "firstName", 1), "Repeated columns: firstName"),
        (GOOD.encode() + b"caf\xe9,x,x,x,x,x,x\n", "Line 3 is not UTF-8"),
        (GOOD.encode("utf-16-le"), "Line 1 has a NUL character, as in UTF-16 without a byte-order mark"),
        (GOOD.encode() + b"a\x00b,x,x,x,x,x,x\n", "Line 3 has a NUL"),
        (GOOD + 'a,b,"never closed\nand on,,,,\n', "From line 3 on this is not CSV"),
        (GOOD.replace("\r\n", "\r"), "end in CR alone"),
        (b"PK\x03\x04" + bytes(100), "This is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old Excel workbook"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(content, message):
    with pytest.raises(BrokenFile, match=message):
        load(content)
    assert not any(everything())


def test_a_file_with_only_a_header_has_no_rows():
    assert counts(load(GOOD.splitlines()[0])) == (0, 0, 0)


def test_a_dry_run_reports_the_same_and_writes_nothing():
    load(text(ROW))
    before = everything()
    file = text(ROW, ROW | {"externalReference": "A-2"}, ROW | {"externalReference": "A-3", "p2pScore": "2"})
    foreseen = load(file, dry_run=True)
    assert counts(foreseen) == (1, 1, 1)
    assert everything() == before
    assert load(file) == foreseen


def test_the_example_is_what_its_script_writes_and_all_of_it_is_accepted(tmp_path):
    rows = list(csv.DictReader((EXAMPLES / "placements.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 1_000
    assert len({row["countryCode"] for row in rows}) == 30
    assert len({row["currencyCode"] for row in rows}) == 8
    script = runpy.run_path(str(EXAMPLES / "make_placements.py"))
    dice = __import__("random").Random(script["SEED"])
    people = script["debtors"](dice)
    assert [row["email"] for row in rows[: len(people)]] == [person["email"] for person in people]
    report = load((EXAMPLES / "placements.csv").read_bytes())
    assert counts(report) == (1_000, 0, 0)
    assert report.debtors == 1_000 - script["WITH_TWO"]
    assert Counter(Debt.objects.values_list("currency_code", flat=True)).keys() == {row["currencyCode"] for row in rows}


def test_an_import_takes_as_many_queries_for_fifty_rows_as_for_one():
    def queries(first: int, rows: int) -> int:
        file = text(
            *(ROW | {"externalReference": f"R-{n}", "email": f"p{n}@example.com"} for n in range(first, first + rows))
        )
        with CaptureQueriesContext(connection) as captured:
            assert load(file).accepted == rows
        return len(captured)

    queries(0, 1)  # Creates the creditor.
    assert queries(1, 1) == queries(2, 50)


def command(tmp_path: Path, content: str, *options: str, exits: int = 0) -> str:
    path, out = tmp_path / "file with space.csv", io.StringIO()
    path.write_text(content, encoding="utf-8", newline="")
    code: Any = 0
    try:
        call_command("import_placements", str(path), *options, stdout=out, verbosity=0)
    except SystemExit as end:
        code = end.code
    assert code == exits
    return out.getvalue()


def test_the_command_reports_the_rows_and_writes_the_refused_ones(tmp_path):
    wrong = [ROW | {"externalReference": f"W-{n}", "p2pScore": "2"} for n in range(25)]
    refusals = tmp_path / "refused.csv"
    said = command(tmp_path, text(ROW, *wrong), "--refused", str(refusals), exits=1)
    assert "26 rows: 1 accepted (1 new debtors), 0 already there, 0 parked, 25 refused." in said
    assert "line 3, p2pScore: This must be between 0 and 1." in said
    assert "… and 5 more" in said
    written = list(csv.reader(refusals.read_text("utf-8").splitlines()))
    assert written[0] == ["line", "column", "reason"]
    assert len(written) == 26


def test_the_command_reports_a_dry_run(tmp_path):
    assert "Dry run: nothing was written." in command(tmp_path, GOOD, "--dry-run")
    assert not Debt.objects.exists()
    bare = GOOD.replace("originalCreditor", "city")
    assert "1 accepted" in command(tmp_path, bare, "--creditor", "Beta")
    assert Debt.objects.get().original_creditor == "Beta"


def test_the_command_names_ignored_columns(tmp_path):
    assert "Ignored columns, whose names are unknown: surname." in command(tmp_path, text(ROW | {"surname": "Doe"}))


def test_the_command_names_the_fault_of_a_file(tmp_path):
    def fault(path: Path) -> tuple[str, int]:
        with pytest.raises(CommandError) as refusal:
            call_command("import_placements", str(path), verbosity=0)
        return str(refusal.value), refusal.value.returncode

    broken = tmp_path / "broken.csv"
    broken.write_text(GOOD.replace("originalBalance", "owed"))
    message, code = fault(broken)
    assert "Missing columns: originalBalance." in message
    assert "Nothing was written." in message
    assert code == 2
    assert fault(tmp_path / "missing.csv") == (
        f"{tmp_path / 'missing.csv'} can't be read: No such file or directory.",
        2,
    )
    assert fault(tmp_path) == (f"{tmp_path} can't be read: Is a directory.", 2)


def test_every_column_is_documented():
    documented = (EXAMPLES / "README.md").read_text("utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in documented] == []
