"""Run the strategy in this process."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from ddc.common.errors import DomainError
from strategy import runs
from strategy.models import StrategyRun


class Command(BaseCommand):
    help = "Apply the strategy's rules for a day and report what each matched, queued and left out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--date", type=date.fromisoformat, help="the day, YYYY-MM-DD (default: today, in UTC)")
        parser.add_argument("--dry-run", action="store_true", help="report what would be queued, and queue nothing")

    def handle(self, **options: Any) -> None:
        with tqdm(desc="Slices of debtors", unit="slice", disable=options["verbosity"] == 0 or None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                run = runs.run_now(
                    day=options["date"], dry_run=options["dry_run"], by=None, clock=timezone.now, progress=show
                )
            except DomainError as refusal:
                raise CommandError(refusal.message) from refusal
        self.report(run)

    def report(self, run: StrategyRun) -> None:
        width = max([len("Rule"), *(len(line["name"]) for line in run.rules)])
        self.stdout.write(
            f"{'Rule':{width}}  {'matched':>8}  {'would queue' if run.dry_run else 'queued':>11}  left out"
        )
        for line in run.rules:
            left = ", ".join(f"{each['count']} {each['reason'].replace('_', ' ')}" for each in line["left_out"])
            self.stdout.write(f"{line['name']:{width}}  {line['matched']:>8}  {line['queued']:>11}  {left or 'none'}")
        queued = sum(line["queued"] for line in run.rules)
        self.stdout.write(
            f"{'Dry run' if run.dry_run else 'Run'} for {run.date}, {len(run.rules)} rules: "
            f"messages {'that would be ' if run.dry_run else ''}queued: {queued}."
        )
