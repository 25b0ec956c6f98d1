"""manage.py load_policies"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from communications.contact import policy_book
from ddc.common.errors import DomainError


class Command(BaseCommand):
    help = "Bring in the contact policies of the packs; what is here already, or was edited by a person, stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--packs", type=Path, default=policy_book.PACKS, help="another directory of *.toml packs")

    def handle(self, *args: Any, packs: Path, **options: Any) -> None:
        try:
            loaded = policy_book.load(packs=packs)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{loaded.added} added, {loaded.kept} as they were.")
        for name in loaded.by_hand:
            self.stdout.write(f"{name}: edited here, so the pack's is left out.")
