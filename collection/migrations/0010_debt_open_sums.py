"""Sum what is open without reading the debts themselves.

PostgreSQL reads the index alone where VACUUM has been since the last change of a page, so it comes to this table more often.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("collections", "0009_disputes")]

    operations = [
        AddIndexConcurrently(
            "debt",
            models.Index(
                fields=["currency_code", "due_date"],
                include=["current_balance"],
                name="debt_open_sums",
                condition=models.Q(("current_status__in", ("active", "payment_plan", "deferred", "disputed"))),
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE debt SET (autovacuum_vacuum_scale_factor = 0.02)",
            "ALTER TABLE debt RESET (autovacuum_vacuum_scale_factor)",
        ),
    ]
