"""Simulate the strategy for some days in this process."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from ddc.common.errors import DomainError
from strategy import runs

_COUNTS = ("queued", "sent", "waiting", "denied")


class Command(BaseCommand):
    help = (
        "Simulate the runs of some days: per day, rule, channel and country the messages queued, and what the contact rules "
        "let go. Assumes no payments, no replies, and that each message arrives. Nothing is kept but the report."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="first", type=date.fromisoformat, required=True, help="the first day, YYYY-MM-DD"
        )
        parser.add_argument("--to", type=date.fromisoformat, required=True, help="the last day, YYYY-MM-DD")

    def handle(self, **options: Any) -> None:
        with tqdm(desc="Days", unit="day", disable=options["verbosity"] == 0 or None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                run = runs.run_now(
                    dry_run=True, day=options["first"], until=options["to"], by=None, clock=timezone.now, progress=show
                )
            except DomainError as refusal:
                raise CommandError(refusal.message) from refusal
        self.stdout.write(
            f"{'Day':10}  {'Rule':30}  {'Channel':11}  Country  " + "  ".join(f"{name:>8}" for name in _COUNTS)
        )
        for day in run.days or []:
            for line in day["lines"]:
                counts = "  ".join(f"{line[name]:>8}" for name in _COUNTS)
                country = line["country"] or "-"
                self.stdout.write(f"{day['date']}  {line['name'][:30]:30}  {line['channel']:11}  {country:7}  {counts}")
        self.stdout.write("Assumed: no payments, no replies, no other events; each message that may go arrives.")
