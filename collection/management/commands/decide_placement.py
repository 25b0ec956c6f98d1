"""manage.py decide_placement"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.models import Agent
from collection.models import ParkedPlacement
from collection.placements import decisions
from ddc.common.errors import DomainError

DECISIONS = {"same": decisions.same_person, "another": decisions.another_person}


class Command(BaseCommand):
    help = (
        "Decide who owes the debt of a parked placement row, and place it: the known debtor's (same), or another person's "
        "(another), who then does not get the shared address. A decision is final."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("row", metavar="ID", type=UUID, help="the id that import_placements printed")
        parser.add_argument("decision", choices=DECISIONS)
        parser.add_argument("--by", required=True, metavar="NAME", help="the agent who answers for it")

    def handle(self, *args: Any, **options: Any) -> None:
        by = Agent.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError(f"There is no account {options['by']}.")
        row = ParkedPlacement.objects.filter(pk=options["row"]).first()
        if row is None:
            raise CommandError(f"There is no parked row {options['row']}.")
        try:
            row = DECISIONS[options["decision"]](row, by=by, now=timezone.now())
        except DomainError as refusal:
            raise CommandError(f"{refusal.message} Nothing was written.") from refusal
        self.stdout.write(f"The row is {row.get_outcome_display().lower()}." + (f" {row.reason}" if row.reason else ""))
