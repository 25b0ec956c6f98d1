"""What confirms an opt-out may go to a number that is no debtor's."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

NAME = "communication_log_outbound_has_a_debtor"


class Migration(migrations.Migration):
    dependencies = [("communications", "0008_contact_evidence_is_kept")]

    operations = [
        migrations.RemoveConstraint("communicationlog", NAME),
        AddConstraintNotValid(
            "communicationlog",
            models.CheckConstraint(
                name=NAME,
                condition=models.Q(
                    ("direction", "inbound"), ("debtor__isnull", False), ("confirms_opt_out", True), _connector="OR"
                ),
            ),
        ),
    ]
