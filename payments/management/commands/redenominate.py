"""manage.py redenominate"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from agents.models import Agent
from ddc.common import money
from ddc.common.errors import DomainError
from ddc.common.reference.currencies import ENDED
from payments import redenomination


class Command(BaseCommand):
    help = (
        "Redenominate the debts in a currency that has ended, such as BGN: they are then owed in its successor, at the rate "
        "fixed by law. A second run adds nothing. Try it with --dry-run, and run check_ledger afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("currency", metavar="CODE", help=f"one of {', '.join(ENDED)}")
        parser.add_argument("--by", required=True, metavar="NAME", help="the supervisor who answers for it")
        parser.add_argument("--dry-run", action="store_true", help="report what would be done, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        by = Agent.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError(f"There is no account {options['by']}.")
        with tqdm(unit="debt", file=sys.stderr, disable=None) as bar:

            def show(done: int) -> None:
                bar.update(done - bar.n)

            try:
                report = redenomination.redenominate(
                    options["currency"].upper(),
                    by=by,
                    now=timezone.now(),
                    dry_run=options["dry_run"],
                    progress=show,
                )
            except DomainError as refusal:
                raise CommandError(f"{refusal.message} Nothing was written.") from refusal
        self.report(report, dry_run=options["dry_run"])

    def report(self, report: redenomination.Report, *, dry_run: bool) -> None:
        before = f"{report.before.normalize():f} {report.currency}"
        after = f"{money.text(report.after, report.ended.successor)} {report.ended.successor}"
        self.stdout.write(
            f"{report.debts} debts and {report.payments} payments; open: {before} = {after}, at {report.ended.rate}."
            + (" Dry run: nothing was written." if dry_run else "")
        )
        if report.segments:
            self.stdout.write(
                f"Segments with bands in {report.currency}, to change by hand: {', '.join(report.segments)}."
            )
