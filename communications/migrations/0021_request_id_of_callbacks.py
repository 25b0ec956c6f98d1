"""Callbacks keep the id of the request that brought them, for the lines of the worker; those of before have none."""

from django.db import migrations, models

import ddc.common.observing.tracing


class Migration(migrations.Migration):
    dependencies = [("communications", "0020_room_for_what_becomes_of_messages")]
    operations = [
        migrations.AddField(
            model_name="providerevent",
            name="request_id",
            field=models.CharField(
                blank=True,
                default=ddc.common.observing.tracing.current,
                editable=False,
                help_text="The request that caused it, as the logs name it.",
                max_length=64,
                null=True,
            ),
        ),
    ]
