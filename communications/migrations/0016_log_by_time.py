"""Keep the index by time in the order in which messages are written."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0015_references_by_statement")]
    operations = [
        AddIndexConcurrently("communicationlog", models.Index(fields=["created_at", "id"], name="log_by_time")),
        RemoveIndexConcurrently("communicationlog", "log_newest"),
    ]
