"""Files of receipts: each row is booked, in suspense, known or refused, and nothing is recorded twice."""

import io
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection.placements.lines import BrokenFile
from ddc.common.postgresql import advisory_locks
from payments import receipts_import
from payments.models import Payment, Receipt
from payments.receipts_import import Report, load
from tests import factories
from tests.payments.receipts.makers import balance, no_difference

pytestmark = pytest.mark.django_db

HEADER = "providerId,amount,currencyCode,reference,payerName,valueDate\n"


def read(text: str | bytes, **options: Any) -> Report:
    data = text if isinstance(text, bytes) else text.encode()
    return load(io.BytesIO(data), by=None, **options)


def outcomes(report: Report) -> list[tuple[int, str]]:
    return [(one.line, one.status) for one in report.outcomes]


def test_each_row_has_an_outcome_and_a_reason():
    debt = factories.debt(balance="100", external_reference="INV-100001")
    report = read(
        HEADER
        + "L1,60.00,GBP,INV-100001,Ann,2026-01-20\n"
        + 'L2,10,GBP,"Invoice INV-10\n0001, thanks",Ann,2026-01-20\n'
        + "\n"
        + "L3,30,GBP,?,Bob,2026-01-20\n"
        + "L4,-5,GBP,INV-100001,Bob,2026-01-20\n"
        + 'L5,"1,00",GBP,INV-100001,Bob,2026-01-20\n'
        + "L6,5,XXX,INV-100001,Bob,2026-01-20\n"
        + "L7,5,GBP,INV-100001,Bob,20.01.2026\n"
        + "L8,5,GBP,INV-100001,Bob,2026-01-20,too much\n"
    )
    assert outcomes(report) == [
        (2, "booked"), (3, "booked"), (6, "suspense"), (7, "refused"), (8, "refused"), (9, "refused"), (10, "refused"),
        (11, "refused"),
    ]  # fmt: skip
    words = {one.line: one.text for one in report.outcomes}
    assert words[6] == "No debt has this reference."
    assert "Money that went out" in words[7]
    assert "Write amounts like 1234.56" in words[8]
    assert words[9].startswith("currencyCode: Unknown currency")
    assert "2026-01-31" in words[10]
    assert "more cells" in words[11]
    assert balance(debt) == 30
    assert no_difference()


def test_the_same_file_again_adds_nothing_and_equal_payments_stay_two():
    debt = factories.debt(balance="500", external_reference="INV-100001")
    row = "50,GBP,INV-100001,2026-01-20\n"
    text = "amount,currencyCode,reference,valueDate\n" + row * 2
    assert outcomes(read(text)) == [(2, "booked"), (3, "booked")]
    assert outcomes(read(text)) == [(2, "known"), (3, "known")]
    # Another range of days of the same account has them too, and one more.
    longer = "amount,currencyCode,reference,valueDate\n60,GBP,INV-100001,2026-01-19\n" + row * 3
    assert outcomes(read(longer)) == [(2, "booked"), (3, "known"), (4, "known"), (5, "booked")]
    assert balance(debt) == 500 - 50 * 3 - 60
    assert outcomes(read(text, provider="Another account")) == [(2, "booked"), (3, "booked")]
    assert no_difference()


def test_an_id_that_was_recorded_with_another_amount_is_refused():
    text = HEADER + "L1,60.00,GBP,,,2026-01-20\n"
    read(text)
    (outcome,) = read(text.replace("60.00", "61.00")).outcomes
    assert (outcome.status, outcome.text) == (
        "refused", "providerId: This id was recorded before with another amount.",
    )  # fmt: skip
    assert Receipt.objects.get().amount == 60


def test_a_dry_run_writes_nothing():
    debt = factories.debt(balance="100", external_reference="INV-100001")
    assert outcomes(read(HEADER + "L1,60,GBP,INV-100001,,2026-01-20\n", dry_run=True)) == [(2, "booked")]
    assert (balance(debt), Receipt.objects.count(), Payment.objects.count()) == (100, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "Amount;Currency Code;Value_Date;REFERENCE\n5;GBP;2026-01-20;x\n",
        "sep=;\namount;currencyCode;valueDate;reference\n5;GBP;2026-01-20;x\n",
        "\ufeffamount\tcurrencyCode\tvalueDate\treference\r\n5\tGBP\t2026-01-20\tx\r\n",
        '"amount","currencyCode","valueDate","reference",,\n5,gbp,2026-01-20,x,,\n',
    ],
)
def test_files_as_programs_save_them_are_read(text: str):
    assert [one.status for one in read(text).outcomes] == ["suspense"]
    assert Receipt.objects.get().currency_code == "GBP"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"amount,amount,currencyCode,valueDate\n",
        b"PK\x03\x04rest",
        b"%PDF-1.4",
        HEADER.encode() + b"L1,5,GBP,\xff,x,2026-01-20\n",
        HEADER.encode() + b"L0,5,GBP,a,x,2026-01-20\nL1,5,GBP,\x00,x,2026-01-20\n",
        HEADER.encode() + b'L0,5,GBP,a,x,2026-01-20\nL1,5,GBP,"open,x,2026-01-20\n',
        HEADER.encode().replace(b"\n", b"\r"),
    ],
)
def test_a_damaged_file_is_refused_as_a_whole(data: bytes):
    with pytest.raises(BrokenFile):
        read(data)
    assert not Receipt.objects.exists()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60), st.integers(0, 200))
def test_no_damage_loses_or_doubles_a_row_without_a_word(damage: bytes, place: int):
    good = (HEADER + "".join(f"D{n},{n}.00,GBP,some text {n},Payer,2026-01-20\n" for n in range(1, 4))).encode()
    before = Receipt.objects.count()
    try:
        report = read(good[:place] + damage + good[place:])
    except BrokenFile:
        assert Receipt.objects.count() == before
        return
    added = report.counts["booked"] + report.counts["suspense"]
    assert Receipt.objects.count() - before == added
    assert all(one.text for one in report.outcomes if one.status in ("refused", "suspense"))
    assert no_difference()


def run(path: Path, text: str, capsys: Any, *options: str) -> tuple[int, str]:
    path.write_text(text)
    code = 0
    try:
        call_command("import_receipts", str(path), *options, verbosity=0)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except CommandError as error:
        return error.returncode, str(error)
    return code, capsys.readouterr().out


def test_the_exit_code_tells(tmp_path: Path, capsys: Any):
    factories.debt(balance="100", external_reference="INV-100001")
    path = tmp_path / "receipts.csv"
    fine = HEADER + "L1,60,GBP,INV-100001,,2026-01-20\nL2,5,GBP,?,,2026-01-20\n"
    code, words = run(path, fine, capsys)
    assert (code, words.splitlines()[-1]) == (0, "2 rows: 1 booked, 1 in suspense, 0 already there, 0 refused.")
    assert "line 3: suspense. No debt has this reference." in words
    code, words = run(path, fine + "L3,x,GBP,,,2026-01-20\n", capsys)
    assert (code, "2 already there, 1 refused" in words, "line 4: refused. amount:" in words) == (1, True, True)
    code, words = run(path, "nothing", capsys)
    assert (code, "Missing columns: amount" in words) == (2, True)


def test_two_imports_at_once_are_refused(monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def held(*_: Any) -> Any:
        yield False

    monkeypatch.setattr(advisory_locks, "session_lock", held)
    with pytest.raises(receipts_import.AlreadyRunning):
        read(HEADER)
