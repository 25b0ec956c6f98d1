"""Django's ``migrate`` as the owner of the tables; at its end the product's role gets its rights on them."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from ddc.common.postgresql import rights
from ddc.common.postgresql.owner import OwnerCommand


class Command(OwnerCommand, migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            rights.grant(connections[options["database"]])
