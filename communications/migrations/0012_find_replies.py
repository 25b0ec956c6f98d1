"""Find the replies to a message without reading every message."""

from django.db import migrations, models

from ddc.common.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("communications", "0011_calls_begin")]

    operations = [
        AddIndexConcurrently(
            "communicationlog",
            models.Index(
                fields=["in_reply_to"], name="log_replies", condition=models.Q(("in_reply_to__isnull", False))
            ),
        )
    ]
