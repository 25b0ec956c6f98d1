"""Drop the index by segment and placement: a run looks at each debt anyway, and each debt that moves wrote to it too."""

from django.db import migrations

from ddc.common.indexes import RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("collections", "0013_room_for_payments")]
    operations = [RemoveIndexConcurrently("debt", "debt_segment_placed")]
