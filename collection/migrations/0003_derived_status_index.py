"""The index of statuses that end by time, and the check of the constraint, without keeping a running site from its debts."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from ddc.common.postgresql.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("collections", "0002_derived_status")]

    operations = [
        AddIndexConcurrently(
            model_name="debt",
            index=models.Index(
                condition=models.Q(("hand_status_until__isnull", False)),
                fields=["hand_status_until"],
                name="debt_hand_status_until",
            ),
        ),
        ValidateConstraint("debt", "debt_status_set_by_hand_is_complete"),
    ]
