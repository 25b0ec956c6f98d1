from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("communications", "0016_log_by_time")]
    operations = [
        migrations.CreateModel(
            name="Unbegun",
            fields=[("log_id", models.UUIDField(primary_key=True, serialize=False, verbose_name="message"))],
            options={"db_table": "message_unbegun"},
        ),
        # After a crash it has to be empty.
        migrations.RunSQL("ALTER TABLE message_unbegun SET UNLOGGED", "ALTER TABLE message_unbegun SET LOGGED"),
    ]
