"""The index of a person's last contacts, which the contact gate reads for each message."""

from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [("communications", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="communicationlog",
            index=models.Index(
                models.F("debtor"),
                Coalesce("begun_at", "outcome_at", "sent_at", "updated_at"),
                condition=models.Q(
                    status__in=["claimed", "sending", "sent", "delivered", "bounced", "uncertain", "received"]
                ),
                name="log_contacts",
            ),
        ),
    ]
