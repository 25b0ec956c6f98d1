"""The queue of messages in doubt."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("communications", "0004_request_id"),
    ]

    operations = [
        migrations.CreateModel(
            name="UncertainMessage",
            fields=[],
            options={
                "ordering": ["created_at", "id"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("communications.communicationlog",),
        ),
    ]
