"""Make the insertion of many debts cheaper.

The creditor and the segment of debts are checked once per statement, without foreign keys (docs/adr/0006); indexes have the order
of insertion; ledger entries go to new pages.
"""

import django.db.models.deletion
from django.db import migrations, models

from ddc.common.postgresql.triggers import InstallTriggers


class Migration(migrations.Migration):
    dependencies = [("collections", "0003_derived_status_index"), ("common", "0002_triggers")]

    operations = [
        migrations.AlterField(
            model_name="debt",
            name="segment",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="debts",
                to="collections.segment",
            ),
        ),
        migrations.AlterField(
            model_name="debt",
            name="creditor",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="debts",
                to="creditors.creditor",
            ),
        ),
        migrations.RemoveIndex(model_name="debt", name="debt_newest"),
        migrations.AddIndex(model_name="debt", index=models.Index(fields=["created_at", "id"], name="debt_newest")),
        migrations.RemoveIndex(model_name="debt", name="debt_status_newest"),
        migrations.AddIndex(
            model_name="debt",
            index=models.Index(fields=["current_status", "created_at", "id"], name="debt_status_newest"),
        ),
        migrations.RemoveIndex(model_name="debt", name="debt_segment_newest"),
        migrations.AddIndex(
            model_name="debt", index=models.Index(fields=["segment", "created_at", "id"], name="debt_segment_newest")
        ),
        InstallTriggers("collections"),
    ]
