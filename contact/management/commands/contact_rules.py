"""manage.py contact_rules"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contact import documents


class Command(BaseCommand):
    help = "Write the tables of docs/contact-rules.md from the packs and the limitation periods."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail if the tables are not up to date"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        page = documents.PAGE.read_text(encoding="utf-8")
        current = documents.updated(page)
        if check and page != current:
            raise CommandError("docs/contact-rules.md is not up to date. Run manage.py contact_rules.")
        documents.PAGE.write_text(current, encoding="utf-8")
        self.stdout.write("docs/contact-rules.md is up to date.")
