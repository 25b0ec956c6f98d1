"""Load a creditor's placement file.

The exit code is 0 if every row was accepted, known already or parked, 1 if a row was refused, and 2 if nothing could be read.
"""

import csv
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from tqdm import tqdm

from collection.placements import loading
from collection.placements.file import COLUMNS, ENCODINGS
from ddc.common.days import agency_today
from ddc.common.errors import DomainError

SHOWN = 20
NOTHING_READ = 2


class Command(BaseCommand):
    help = (
        "Place the debts of a CSV file. A row's debtor is the one with its email or mobilePhone. Known debtors and debts stay "
        "unchanged, so the same file twice adds nothing. Exit code 1: a row was refused; 2: nothing could be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help=f"columns: {', '.join(COLUMNS)}")
        parser.add_argument("--creditor", metavar="NAME", help="the creditor of rows that name none")
        parser.add_argument(
            "--encoding", choices=ENCODINGS, help="the encoding of a file that is neither UTF-8 nor marked UTF-16"
        )
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
                    encoding=options["encoding"],
                    dry_run=options["dry_run"],
                    by=None,
                    today=agency_today(now),
                    now=now,
                    progress=show,
                )
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.", returncode=NOTHING_READ) from error
        except DomainError as refusal:
            raise CommandError(f"{path}: {refusal.message} Nothing was written.", returncode=NOTHING_READ) from refusal
        except DatabaseError as error:
            raise CommandError(
                f"The database failed ({type(error).__name__}). Nothing was written.", returncode=NOTHING_READ
            ) from error
        self.report(report, dry_run=options["dry_run"])
        if options["refused"]:
            self.write_refusals(report, options["refused"])
        if report.refused:
            sys.exit(1)

    def report(self, report: loading.Report, *, dry_run: bool) -> None:
        if report.ignored:
            self.stdout.write(f"Ignored columns, whose names are unknown: {', '.join(report.ignored)}.")
        self.show([f"line {one.line}, {one.column or 'the row'}: {one.reason}" for one in report.refusals], "--refused")
        self.show([f"line {line} equals line {first} and is a debt of its own" for line, first in report.equal])
        self.show(
            [
                f"line {one.line}, {one.column}: parked{f' as {one.id}' if one.id else ''}. {one.reason}"
                for one in report.parked
            ]
        )
        self.stdout.write(
            f"{report.rows} rows: {report.accepted} accepted ({report.debtors} new debtors), "
            f"{report.known} already there, {len(report.parked)} parked, {report.refused} refused."
            + (" Dry run: nothing was written." if dry_run else "")
        )

        if report.parked:
            self.stdout.write(
                "Parked rows have a known debtor's address and another name or date of birth. Decide in the back office "
                "(Parked placement rows) or by manage.py decide_placement who owes them."
            )

    def show(self, lines: list[str], option: str = "") -> None:
        for line in lines[:SHOWN]:
            self.stdout.write(line)
        if len(lines) > SHOWN:
            more = f"; {option} FILE.csv writes them all" if option else ""
            self.stdout.write(f"… and {len(lines) - SHOWN} more{more}.")

    def write_refusals(self, report: loading.Report, path: str) -> None:
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["line", "column", "reason"])
                writer.writerows([refusal.line, refusal.column or "", refusal.reason] for refusal in report.refusals)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
