"""Load a creditor's placement file."""

import csv
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from tqdm import tqdm

from collection.placements import loading
from collection.placements.file import COLUMNS
from ddc.common.days import agency_today
from ddc.common.errors import DomainError

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Place the debts of a CSV file (UTF-8, commas or semicolons). A row's debtor is the one with its email or mobilePhone. "
        "Known debtors and debts stay unchanged, so the same file twice adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help=f"columns: {', '.join(COLUMNS)}")
        parser.add_argument("--creditor", metavar="NAME", help="the creditor of rows that name none")
        parser.add_argument("--dry-run", action="store_true", help="report the outcome of each row, and write nothing")
        parser.add_argument(
            "--refused", metavar="FILE.csv", help="write the line, column and reason of each refused row to this file"
        )

    def handle(self, **options: Any) -> None:
        path, now = options["file"], timezone.now()
        try:
            with (
                open(path, "rb") as file,
                tqdm(
                    total=os.path.getsize(path), unit="B", unit_scale=True, disable=options["verbosity"] == 0 or None
                ) as bar,
            ):

                def show(step: str, read: int) -> None:
                    bar.set_description(step, refresh=False)
                    bar.update(read - bar.n)
                    bar.refresh()

                report = loading.load(
                    file,
                    creditor=options["creditor"],
                    dry_run=options["dry_run"],
                    by=None,
                    today=agency_today(now),
                    now=now,
                    progress=show,
                )
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        except DomainError as refusal:
            raise CommandError(f"{path}: {refusal.message} Nothing was written.") from refusal
        except DatabaseError as error:
            raise CommandError(f"The database failed ({type(error).__name__}). Nothing was written.") from error
        self.report(report, dry_run=options["dry_run"])
        if options["refused"]:
            self.write_refusals(report, options["refused"])

    def report(self, report: loading.Report, *, dry_run: bool) -> None:
        for refusal in report.refusals[:SHOWN]:
            self.stdout.write(f"line {refusal.line}, {refusal.column or 'the row'}: {refusal.reason}")
        if len(report.refusals) > SHOWN:
            self.stdout.write(f"… and {len(report.refusals) - SHOWN} more; --refused FILE.csv writes them all.")
        self.stdout.write(
            f"{report.rows} rows: {report.accepted} accepted ({report.debtors} new debtors), "
            f"{report.known} already there, {report.refused} refused."
            + (" Dry run: nothing was written." if dry_run else "")
        )

    def write_refusals(self, report: loading.Report, path: str) -> None:
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["line", "column", "reason"])
                writer.writerows([refusal.line, refusal.column or "", refusal.reason] for refusal in report.refusals)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
