"""Store exchange rates from a file of the ECB."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from collection.balances import exchange_rates
from ddc.common.errors import DomainError

SHOWN = 20


class Command(BaseCommand):
    help = "Store the exchange rates of a daily or historical CSV file of the European Central Bank."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="eurofxref.csv or eurofxref-hist.csv")

    def handle(self, **options: Any) -> None:
        path = options["file"]
        try:
            with (
                open(path, encoding="utf-8-sig", newline="") as file,
                tqdm(desc="Days", unit="day", disable=options["verbosity"] == 0 or None) as bar,
            ):

                def show(days: int) -> None:
                    bar.update(days - bar.n)

                loaded = exchange_rates.load(file, progress=show)
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        except DomainError as refusal:
            raise CommandError(f"{path}: {refusal.message} Nothing was stored.") from refusal
        self.report(loaded)

    def report(self, loaded: exchange_rates.Loaded) -> None:
        if loaded.unknown_currencies:
            self.stdout.write(f"Skipped unknown currencies: {', '.join(loaded.unknown_currencies)}.")
        until = f", the latest of {loaded.latest}" if loaded.latest else ""
        self.stdout.write(f"{loaded.days} days, {loaded.rates} rates ({loaded.changed} new or changed){until}.")
        for cell in loaded.refused[:SHOWN]:
            self.stdout.write(f"line {cell.line}, {cell.column}: {cell.reason}")
        if loaded.refused:
            raise CommandError(f"{len(loaded.refused)} cells were refused; all others are stored.")
