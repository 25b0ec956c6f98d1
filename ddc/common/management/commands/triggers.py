"""Print the database functions, triggers, table settings and rights of all apps; check or install them."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.db import connection

from ddc.common.postgresql import rights, trigger_check, triggers
from ddc.common.postgresql.owner import OwnerCommand


class Command(OwnerCommand):
    help = "Print the database triggers, functions, table settings and rights that the apps list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare the lists with the database")
        parser.add_argument("--install", action="store_true", help="install what is missing or differs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["install"]:
            with connection.schema_editor() as editor:
                for config in apps.get_app_configs():
                    triggers.install(config.label, editor)
                rights.grant(connection)
        if options["check"] or options["install"]:
            found = [message.msg for message in trigger_check.differences(connection)]
            if found:
                raise CommandError("\n".join(found))
            self.stdout.write("The database has what the apps list, and nothing else.")
            return
        for title, rows in _tables():
            self._print(title, rows)

    def _print(self, title: str, rows: list[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        self.stdout.write(f"\n{title}\n")
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _tables() -> list[tuple[str, list[tuple[str, ...]]]]:
    lists = triggers.every_list()
    found = [(each.name, each.table, each.event, each.function, each.why) for one in lists for each in one.triggers]
    functions = [(each.name, each.why) for one in lists for each in one.functions]
    storage = [(each.table, each.create, each.why) for one in lists for each in one.storage]
    reasons = {each.table: each.why for one in lists for each in one.rights}
    granted = [
        (table, ", ".join(sorted(words)), reasons.get(table, "A trigger refuses the others."))
        for table, words in sorted(rights.expected().items())
    ]
    return [
        ("TRIGGERS", [("name", "table", "event", "function", "why"), *found]),
        ("FUNCTIONS", [("name", "why"), *functions]),
        ("TABLE SETTINGS", [("table", "statement", "why"), *storage]),
        (
            "RIGHTS OF THE PRODUCT'S ROLE, on other tables: DELETE, INSERT, SELECT, UPDATE",
            [("table", "rights", "why"), *granted],
        ),
    ]
