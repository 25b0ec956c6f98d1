"""Placement files made from the truth and damaged as Excel damages them, and an oracle of what loading them must give.

The oracle walks over the rows one by one, in plain Python; the product works on the whole file by SQL.
"""

import csv
import io
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from hypothesis import strategies as st

from collection.models import Debt, LedgerEntry
from tests.collection.placements.files import load

FIRST = date(2026, 1, 1)
DATES = {"iso": "%Y-%m-%d", "day first": "%d/%m/%Y", "month first": "%m/%d/%Y", "dots": "%d.%m.%Y"}


@dataclass(frozen=True)
class Truth:
    """A debt of a person, who may be entered with the address of person 0."""

    person: int
    placeholder: bool
    reference: str | None
    cents: int
    day: date
    is_faulty: bool


@dataclass(frozen=True)
class Damage:
    """What a spreadsheet does to a file."""

    encoding: str
    delimiter: str
    names_delimiter: bool
    empty_columns: int
    dates: str
    decimal_comma: bool
    drops_zeros: bool
    unknown_column: bool
    blank_lines: frozenset[int]
    repeated: tuple[int, ...]


@dataclass
class Expected:
    """The outcome of each row, and what each person owes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    owed: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


truths = st.lists(
    st.builds(
        Truth,
        person=st.integers(0, 3),
        placeholder=st.booleans(),
        reference=st.none(),
        cents=st.integers(1, 2_000_00),
        day=st.integers(0, 150).map(lambda days: FIRST + timedelta(days=days)),
        is_faulty=st.integers(0, 9).map(lambda dice: dice == 0),
    ),
    min_size=1,
    max_size=12,
).flatmap(
    lambda rows: st.lists(st.sampled_from(["", "number", "zeros"]), min_size=len(rows), max_size=len(rows)).map(
        lambda kinds: [
            Truth(**{**row.__dict__, "reference": {"": None, "number": f"{n + 1}7", "zeros": f"00{n + 1}7"}[kind]})
            for n, (row, kind) in enumerate(zip(rows, kinds, strict=True))
        ]
    )
)
damages = st.builds(
    Damage,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    names_delimiter=st.booleans(),
    empty_columns=st.integers(0, 3),
    dates=st.sampled_from(sorted(DATES)),
    decimal_comma=st.booleans(),
    drops_zeros=st.booleans(),
    unknown_column=st.booleans(),
    blank_lines=st.frozensets(st.integers(0, 12), max_size=4),
    repeated=st.lists(st.integers(0, 11), max_size=3).map(tuple),
)


def name(truth: Truth) -> str:
    return f"Zoë{truth.person} Łęcki"


def email(truth: Truth) -> str:
    return f"p{0 if truth.placeholder else truth.person}@example.com"


def emitted(rows: list[Truth], damage: Damage) -> list[Truth]:
    """Return the rows of the file in their order: the true ones, then those that were pasted twice."""
    return [*rows, *(rows[index] for index in damage.repeated if index < len(rows))]


def file_of(rows: list[Truth], damage: Damage) -> bytes:
    """Write a file as a damaged spreadsheet has it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=damage.delimiter, lineterminator="\r\n")
    if damage.names_delimiter:
        out.write(f"sep={damage.delimiter}\r\n")
    header = ["Email", "firstName", "lastName", "originalCreditor", "externalReference", "currencyCode",
              "originalBalance", "placementDate"]  # fmt: skip
    writer.writerow([*header, *["Notes"] * damage.unknown_column, *[""] * damage.empty_columns])
    for number, truth in enumerate(emitted(rows, damage)):
        if number in damage.blank_lines:
            writer.writerow([""] * len(header))
        amount = f"{truth.cents / 100:.2f}"
        reference = truth.reference or ""
        first, last = name(truth).split()
        writer.writerow([
            email(truth), first, last, "Acme", reference.lstrip("0") if damage.drops_zeros else reference, "EUR",
            "many" if truth.is_faulty else amount.replace(".", ",") if damage.decimal_comma else amount,
            truth.day.strftime(DATES[damage.dates]), *["x"] * damage.unknown_column, *[""] * damage.empty_columns,
        ])  # fmt: skip
    return out.getvalue().encode(damage.encoding)


def expected(rows: list[Truth], damage: Damage) -> Expected:
    """Say what loading a file into an empty database gives."""
    rows = emitted(rows, damage)
    good = [row for row in rows if not row.is_faulty]
    days_are_clear = damage.dates == "iso" or any(row.day.day > 12 for row in rows)
    amounts_are_clear = not damage.decimal_comma or len(good) > 1
    found, owners, references = Expected(), dict[str, str](), set[str]()
    for row in rows:
        if row.is_faulty or not days_are_clear or not amounts_are_clear:
            found.outcomes["refused"] += 1
        elif owners.setdefault(email(row), name(row)) != name(row):
            found.outcomes["parked"] += 1
        elif row.reference in references:
            found.outcomes["known"] += 1
        else:
            found.outcomes["accepted"] += 1
            found.owed[owners[email(row)]] += Decimal(row.cents) / 100
            if row.reference:
                references.add(row.reference)
    return found


def hold(rows: list[Truth], damage: Damage) -> None:
    """Check that a damaged file gives what the oracle says, adds nothing the second time, and leaves correct balances."""
    with transaction.atomic():
        content, oracle = file_of(rows, damage), expected(rows, damage)
        for outcomes in (oracle.outcomes, _again(oracle.outcomes)):
            report = load(content)
            found = Counter(
                accepted=report.accepted, known=report.known, parked=len(report.parked), refused=report.refused
            )
            assert +found == +outcomes
            assert _owed() == dict(oracle.owed)
        posted = LedgerEntry.objects.aggregate(total=Sum("amount"))["total"] or 0
        assert posted == sum(oracle.owed.values())
        transaction.set_rollback(True)


def _again(first: Counter[str]) -> Counter[str]:
    """Return the outcomes of the same file the second time."""
    return Counter(known=first["accepted"] + first["known"], parked=first["parked"], refused=first["refused"])


def _owed() -> dict[str, Decimal]:
    owed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for debt in Debt.objects.select_related("debtor"):
        owed[debt.debtor.name] += debt.current_balance
    return dict(owed)
