"""Post the interest of all open debts until the end of last month, or another day."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from collection.balances import month_end
from ddc.common.days import agency_today


class Command(BaseCommand):
    help = "Post the interest of all open debts until the end of last month. A second run posts nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--until", type=date.fromisoformat, help="interest counts to the day before this one")

    def handle(self, **options: Any) -> None:
        today = agency_today(now())
        until = options["until"] or month_end.last_month_end(today)
        if until > today:
            raise CommandError(f"{until} lies in the future. Interest is posted when it is due.")
        posted = month_end.post(until)
        self.stdout.write(f"{posted.debts} debts with interest until {until}: {posted.entries} entries.")
