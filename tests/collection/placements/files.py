"""Placement files of the tests, and what loading them gives."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collection.models import Debt, LedgerEntry
from collection.placements import loading
from creditors.models import Creditor
from debtors.models import Debtor
from tests.strategy.makers import TODAY, clock

#: Files as creditors sent them.
CASES = Path(__file__).parent / "cases"
ROW = {
    "firstName": "Ann", "lastName": "Doe", "email": "ann@example.com", "originalCreditor": "Acme", "externalReference": "A-1",
    "currencyCode": "GBP", "originalBalance": "100.00",
}  # fmt: skip


def text(*rows: dict[str, Any], delimiter: str = ",") -> str:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, fieldnames=names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def load(content: str | bytes, **options: Any) -> loading.Report:
    data = content.encode() if isinstance(content, str) else content
    report = loading.load(io.BytesIO(data), **{"by": None, "today": TODAY, "now": clock(), **options})
    assert report.rows == report.accepted + report.known + report.refused + len(report.parked)
    assert report.refused == len({refusal.line for refusal in report.refusals})
    return report


def load_case(name: str, **options: Any) -> loading.Report:
    """Load a file as a creditor sent it, on a day on which its dates lie in the past."""
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    return load((CASES / name).read_bytes(), **{"today": now.date(), "now": now, **options})


def counts(report: loading.Report) -> tuple[int, int, int]:
    return report.accepted, report.known, report.refused


def everything() -> list[list[dict[str, Any]]]:
    return [list(model.objects.order_by("pk").values()) for model in (Creditor, Debtor, Debt, LedgerEntry)]
