from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("casework", "0002_figures"),
    ]

    operations = [
        migrations.AddIndex(model_name="followup", index=models.Index(fields=["due_on"], name="follow_up_day")),
    ]
