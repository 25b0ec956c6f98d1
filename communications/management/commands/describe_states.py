"""manage.py describe_states"""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from communications.outbox import states

DOCUMENT = settings.BASE_DIR / "docs" / "messages.md"
_BEGIN, _END = "<!-- states: written by manage.py describe_states -->\n", "<!-- /states -->"


def updated(text: str) -> str:
    """Return the document with the table that the code describes."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{states.table()}\n{_END}{after}"


class Command(BaseCommand):
    help = "Write the table of message states into docs/messages.md; --check exits 1 if it is out of date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        text = DOCUMENT.read_text("utf-8")
        if updated(text) == text:
            return
        if options["check"]:
            self.stderr.write("The table of states in docs/messages.md is out of date. Run manage.py describe_states.")
            sys.exit(1)
        DOCUMENT.write_text(updated(text), "utf-8")
