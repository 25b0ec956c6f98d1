"""The index of messages from the addresses of strangers."""

from django.db import migrations, models

from ddc.common.postgresql.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0001_initial")]
    operations = [
        AddIndexConcurrently(
            "communicationlog",
            models.Index(fields=["address"], name="log_unknown_address", condition=models.Q(debtor__isnull=True)),
        ),
    ]
