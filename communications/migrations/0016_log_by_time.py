"""Keep the index by time in the order in which messages are written."""

from django.db import migrations, models

from ddc.common.indexes import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0015_references_by_statement")]
    operations = [
        AddIndexConcurrently("communicationlog", models.Index(fields=["created_at", "id"], name="log_by_time")),
        RemoveIndexConcurrently("communicationlog", "log_newest"),
    ]
