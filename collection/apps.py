from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class CollectionConfig(AppConfig):
    name = "collection"
    label = "collections"
    verbose_name = "Collections"

    def ready(self) -> None:
        post_migrate.connect(_load_shipped, sender=self, dispatch_uid="collections.load_shipped")


def _load_shipped(*, using: str, **_: Any) -> None:
    """Add the rates, schedules and cost rules that the product ships, unless the migration went back to before them."""
    from collection.models import CostRule
    from collection.tariffs import cost_rules, rates, schedules

    if CostRule._meta.db_table in connections[using].introspection.table_names():
        rates.load_shipped()
        schedules.load_shipped()
        cost_rules.load_shipped()
