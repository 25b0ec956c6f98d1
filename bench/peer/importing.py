"""Import the harness's debts of known debtors, and print the number of debts and the seconds.

The harness names debtors by their ids. A placement file names them by their addresses, so these are looked up first, untimed.
"""

import csv
import io
import json
import os
import sys
import time
from pathlib import Path

import django
from django.utils import timezone

_DEBTOR = "debtorId"


def main(path: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")
    django.setup()
    from collection.placements import loading

    file = io.BytesIO(_with_addresses(Path(path)).encode())
    now = timezone.now()
    began = time.perf_counter()
    report = loading.load(file, by=None, today=now.date(), now=now)
    seconds = time.perf_counter() - began
    if report.refused or report.debtors:
        sys.exit(f"{report.refused} rows were refused, {report.debtors} debtors were new: {report.refusals[:3]}")
    print(json.dumps({"written": report.accepted, "seconds": seconds}))


def _with_addresses(path: Path) -> str:
    from debtors.models import Debtor

    addresses = {str(pk): address for pk, address in Debtor.objects.values_list("id", "email").iterator()}
    out = io.StringIO()
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        columns = ["email", *(name for name in rows.fieldnames or () if name != _DEBTOR)]
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"email": addresses[row[_DEBTOR]]} for row in rows)
    return out.getvalue()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    main(sys.argv[1])
