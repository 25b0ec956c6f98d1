"""Load rates of interest from a file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from collection.tariffs import rates
from ddc.common.errors import DomainError

SHOWN = 20


class Command(BaseCommand):
    help = "Store the rates of a CSV file: series,valid_from,rate,source. A line that is not a rate is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv")

    def handle(self, **options: Any) -> None:
        path = options["file"]
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                loaded = rates.load(file)
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        except DomainError as refusal:
            raise CommandError(f"{path}: {refusal.message} Nothing was stored.") from refusal
        self.stdout.write(f"{loaded.rates} rates: {loaded.added} new, {len(loaded.changed)} changed.")
        for line, reason in loaded.refused[:SHOWN]:
            self.stdout.write(f"line {line}: {reason}")
        if loaded.refused:
            raise CommandError(f"{len(loaded.refused)} lines were refused; all others are stored.")
