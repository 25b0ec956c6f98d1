"""The index of the back office's search for references."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations
from django.db.models import F, Func

from ddc.common.postgresql.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("collections", "0001_initial"), ("debtors", "0002_lookup")]
    operations = [
        AddIndexConcurrently(
            "debt",
            GinIndex(
                OpClass(Func(F("external_reference"), function="search_compact"), "gin_trgm_ops"),
                name="debt_lookup_trigrams",
            ),
        ),
    ]
