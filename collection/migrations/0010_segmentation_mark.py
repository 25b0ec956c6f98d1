"""Remember how far the assignment of segments has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections", "0009_disputes"),
    ]

    operations = [
        migrations.CreateModel(
            name="SegmentationMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "basis",
                    models.CharField(
                        help_text="A digest of what its outcome hangs on beside the debts.", max_length=32
                    ),
                ),
                (
                    "seen_before",
                    models.CharField(help_text="It saw what transactions before this one wrote.", max_length=20),
                ),
                ("moved_by", models.CharField(help_text="The transaction in which it moved debts.", max_length=20)),
            ],
            options={
                "db_table": "segmentation_mark",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_segmentation_mark")
                ],
            },
        ),
    ]
