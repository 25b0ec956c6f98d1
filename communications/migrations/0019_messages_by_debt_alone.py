"""Keep the index of messages by debt without their time: a debt has few, which are soon sorted, and it takes a fifth of the pages."""

from django.db import migrations, models

from ddc.common.indexes import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0018_decisions_of_runs")]
    operations = [
        AddIndexConcurrently("communicationlog", models.Index(fields=["debt"], name="log_debt")),
        RemoveIndexConcurrently("communicationlog", "log_debt_newest"),
    ]
