"""The index of the messages that debtors wait for, by their purposes."""

from django.db import migrations, models

from ddc.common.postgresql.indexes import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0003_lawful_contact")]
    operations = [
        AddIndexConcurrently(
            "communicationlog",
            models.Index(
                fields=["due_at"],
                name="log_awaited",
                condition=models.Q(status__in=["queued", "postponed", "claimed"]) & ~models.Q(purpose="collection"),
            ),
        ),
        RemoveIndexConcurrently("communicationlog", "log_solicited_waiting"),
    ]
