from django.db import migrations, models

from ddc.common.postgresql.triggers import InstallTriggers


def version(help_text):
    return models.PositiveIntegerField(db_default=1, default=1, editable=False, help_text=help_text)


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="token_version",
            field=version(
                "Increased by a trigger to end all tokens of the account; tokens of an earlier version do not work."
            ),
        ),
        migrations.AddField(model_name="tokenfamily", name="token_version", field=version("The agent's, at sign-in.")),
        migrations.AddField(
            model_name="apitoken", name="token_version", field=version("The agent's, when the token was created.")
        ),
        migrations.AddField(
            model_name="apitoken",
            name="expires_at",
            field=models.DateTimeField(blank=True, help_text="Empty: it does not expire.", null=True),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="last_used_at",
            field=models.DateTimeField(blank=True, help_text="To the minute.", null=True),
        ),
        InstallTriggers("agents"),
    ]
