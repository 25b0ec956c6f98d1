"""The restores from a backup that ``after_restore`` has handled."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("communications", "0002_contacts_index")]

    operations = [
        migrations.CreateModel(
            name="DatabaseRestore",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("dump_taken_at", models.DateTimeField(unique=True)),
                ("stopped_at", models.DateTimeField(help_text="When the lost database stopped.")),
                ("handled_at", models.DateTimeField()),
            ],
            options={"db_table": "database_restore"},
        ),
    ]
