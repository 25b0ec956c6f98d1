"""The index of the back office's search for debtors."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations
from django.db.models import F, Func

from ddc.common.postgresql.indexes import AddIndexConcurrently
from ddc.common.postgresql.triggers import InstallTriggers


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("debtors", "0001_initial"), ("common", "0002_triggers")]
    operations = [
        InstallTriggers("debtors"),
        AddIndexConcurrently(
            "debtor",
            GinIndex(
                OpClass(
                    Func(F("search"), F("postal_code"), F("mobile_phone"), function="debtor_lookup"), "gin_trgm_ops"
                ),
                name="debtor_lookup_trigrams",
            ),
        ),
    ]
