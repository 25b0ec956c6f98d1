"""Find a segment's debts by their placement, as the strategy asks for them."""

from django.db import migrations, models

from ddc.common.indexes import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("collections", "0007_holds_have_a_history")]
    operations = [
        AddIndexConcurrently("debt", models.Index(fields=["segment", "placement_date"], name="debt_segment_placed")),
        RemoveIndexConcurrently("debt", "debt_active"),
    ]
