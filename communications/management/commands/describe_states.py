"""manage.py describe_states"""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from communications.outbox import states

DOCUMENT = settings.BASE_DIR / "docs" / "messages.md"
_BEGIN, _END = "<!-- states: written by manage.py describe_states -->\n", "<!-- /states -->"


def written(text: str) -> str:
    """Return the document with the table as the code has it."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{states.table()}\n{_END}{after}"


class Command(BaseCommand):
    help = "Write the table of a message's states into docs/messages.md; --check exits 1 where it is another."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        text = DOCUMENT.read_text("utf-8")
        if written(text) == text:
            return
        if options["check"]:
            self.stderr.write("docs/messages.md has another table of states than the code: manage.py describe_states")
            sys.exit(1)
        DOCUMENT.write_text(written(text), "utf-8")
