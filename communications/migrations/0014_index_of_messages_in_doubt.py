"""The front page of the back office and /metrics count the messages in doubt, of which there are few among millions."""

from django.db import migrations, models

from ddc.common.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0013_templates_that_ask_for_payment")]

    operations = [
        AddIndexConcurrently(
            "communicationlog",
            models.Index(fields=["created_at", "id"], name="log_in_doubt", condition=models.Q(("status", "uncertain"))),
        ),
    ]
