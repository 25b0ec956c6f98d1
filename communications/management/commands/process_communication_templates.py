"""Render templates with a debtor's data or the example values, and send them if asked to."""

import sys
import uuid
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from collection.models import Debt
from communications.notices import by_hand
from ddc.common.errors import DomainError
from debtors.channels import Channel
from debtors.models import Debtor


class Command(BaseCommand):
    help = "Render the matching active templates in the debtor's language; --send sends them to that debtor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the template's name (default: all)")
        parser.add_argument("--type", choices=Channel.values, help="only this communication type")
        parser.add_argument(
            "--debtor-id", type=uuid.UUID, help="the debtor whose data is filled in (default: example values)"
        )
        parser.add_argument("--debt-id", type=uuid.UUID, help="the debt that the message is about")
        parser.add_argument("--send", action="store_true", help="send them; needs --debtor-id and --debt-id")

    def handle(self, *args: Any, **options: Any) -> None:
        debtor = _find(Debtor, options["debtor_id"])
        debt = _find(Debt, options["debt_id"])
        if debtor and debt and debt.debtor_id != debtor.pk:
            raise CommandError("This debt belongs to another debtor.")
        try:
            with tqdm(unit="template", file=sys.stderr, disable=options["verbosity"] == 0 or None) as bar:

                def show(done: int, of: int) -> None:
                    bar.total = of
                    bar.update(done - bar.n)

                results = by_hand.process(
                    name=options["name"],
                    channel=options["type"],
                    debtor=debtor,
                    debt=debt,
                    send=options["send"],
                    now=timezone.now(),
                    progress=show,
                )
        except DomainError as error:
            raise CommandError(error.message) from error
        for result in results:
            self.stdout.write(f"{result.template_name} ({result.communication_type}): {result.status}")
            if result.reason:
                self.stdout.write(f"  {result.reason}")
            if options["verbosity"] > 1 or not options["send"]:
                self.stdout.write("\n".join(f"  {line}" for line in (result.subject or "", *result.body.splitlines())))
        counts = Counter(result.status for result in results)
        summary = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        self.stdout.write(self.style.SUCCESS(f"{len(results)} processed" + (f": {summary}" if summary else "")))


def _find(model: Any, key: uuid.UUID | None) -> Any:
    if key is None:
        return None
    found = model.objects.filter(pk=key).first()
    if found is None:
        raise CommandError(f"No {model._meta.verbose_name} has the id {key}.")
    return found
