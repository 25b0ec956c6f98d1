"""Connect as the role that owns the tables, for the few commands that change the schema or empty tables.

The product's own role (DATABASE_URL) owns nothing, so that it cannot switch off what the database guarantees: see
``ddc/common/postgresql/rights.py``. The owner's is the role of MIGRATION_DATABASE_URL.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections

_OF_A_ROLE = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


def is_apart() -> bool:
    """Return whether the owner is another role than the product's. If not, DATABASE_URL is that of the owner."""
    return bool(settings.OWNER_DATABASE["USER"] != settings.DATABASES[DEFAULT_DB_ALIAS]["USER"])


@contextlib.contextmanager
def connected(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let this thread's connection be one of the owner. It reconnects at the start and at the end, so not in a transaction."""
    connection = connections[alias]
    product = connection.settings_dict
    if product["USER"] == settings.OWNER_DATABASE["USER"]:
        yield
        return
    connection.close()
    connection.settings_dict = {**product, **{name: settings.OWNER_DATABASE[name] for name in _OF_A_ROLE}}
    try:
        yield
    finally:
        connection.close()
        product["NAME"] = connection.settings_dict["NAME"]
        connection.settings_dict = product


class OwnerCommand(BaseCommand):
    """A command that runs as the owner."""

    def execute(self, *args: Any, **options: Any) -> Any:
        with connected(options.get("database") or DEFAULT_DB_ALIAS):
            return super().execute(*args, **options)
