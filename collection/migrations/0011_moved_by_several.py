"""Segments are assigned in two transactions, which the mark names both."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections", "0010_segmentation_mark"),
    ]

    operations = [
        migrations.AlterField(
            model_name="segmentationmark",
            name="moved_by",
            field=models.CharField(help_text="The transactions in which it moved debts.", max_length=100),
        ),
    ]
