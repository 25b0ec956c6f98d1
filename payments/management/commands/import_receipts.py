"""Record the receipts of a CSV file.

The exit code is 0 if every row was booked, put into suspense or known already, 1 if a row was refused, and 2 if nothing
could be read.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ddc.common.errors import DomainError
from payments import receipts_import

SHOWN = 50
NOTHING_READ = 2


class Command(BaseCommand):
    help = (
        "Record the money that came in. A receipt is booked to the debt that its reference names; others wait in suspense with "
        "the reason. The same file twice adds nothing. Exit code 1: a row was refused; 2: nothing could be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help=f"columns: {', '.join(receipts_import.COLUMNS)}")
        parser.add_argument("--provider", metavar="NAME", default="", help="the bank account of rows that name none")
        parser.add_argument("--encoding", metavar="NAME", help="of a file that is neither UTF-8 nor marked UTF-16")
        parser.add_argument("--dry-run", action="store_true", help="try each row by itself, and write nothing")

    def handle(self, **options: Any) -> None:
        path = options["file"]
        quiet = options["verbosity"] == 0 or None
        try:
            with open(path, "rb") as file, tqdm(unit="row", file=sys.stderr, disable=quiet) as bar:

                def show(done: int, rows: int) -> None:
                    bar.total = rows
                    bar.update(done - bar.n)

                report = receipts_import.load(
                    file,
                    provider=options["provider"],
                    encoding=options["encoding"],
                    by=None,
                    dry_run=options["dry_run"],
                    progress=show,
                )
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.", returncode=NOTHING_READ) from error
        except (DomainError, LookupError) as refusal:
            raise CommandError(f"{path}: {refusal}", returncode=NOTHING_READ) from refusal
        self.report(report, dry_run=options["dry_run"])
        if report.counts["refused"]:
            sys.exit(1)

    def report(self, report: receipts_import.Report, *, dry_run: bool) -> None:
        if report.ignored:
            self.stdout.write(f"Ignored columns, with unknown names: {', '.join(report.ignored)}.")
        shown = [one for one in report.outcomes if one.text]
        for one in shown[:SHOWN]:
            self.stdout.write(f"line {one.line}: {one.status}. {one.text}")
        if len(shown) > SHOWN:
            self.stdout.write(f"… and {len(shown) - SHOWN} more.")
        counts = report.counts
        self.stdout.write(
            f"{len(report.outcomes)} rows: {counts['booked']} booked, {counts['suspense']} in suspense, "
            f"{counts['known']} already there, {counts['refused']} refused."
            + (" Dry run: nothing was written." if dry_run else "")
        )
