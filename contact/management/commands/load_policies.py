"""manage.py load_policies"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contact import policy_packs
from ddc.common.errors import DomainError


class Command(BaseCommand):
    help = "Load the contact policies of the packs. Policies that were edited here are not overwritten."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--packs", type=Path, default=policy_packs.PACKS, help="another directory of *.toml packs")

    def handle(self, *args: Any, packs: Path, **options: Any) -> None:
        try:
            loaded = policy_packs.load(packs=packs)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{loaded.added} added, {loaded.unchanged} unchanged.")
        for name in loaded.edited:
            self.stdout.write(f"{name}: edited here, so the pack's version was not loaded.")
