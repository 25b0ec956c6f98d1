from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0002_attempt_tokens"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="otpsession", name="otp_phone_newest"),
        migrations.RenameField(model_name="otpsession", old_name="mobile_phone", new_name="address"),
        migrations.RenameField(model_name="otpsession", old_name="phone_as_given", new_name="address_as_given"),
        migrations.AlterField(
            model_name="otpsession",
            name="address",
            field=models.CharField(
                help_text="A phone in E.164 as the numbering plan spells it, or an e-mail address in lower case.",
                max_length=254,
            ),
        ),
        migrations.AlterField(
            model_name="otpsession",
            name="address_as_given",
            field=models.CharField(
                default="", editable=False, help_text="The phone in E.164 as it was entered.", max_length=254
            ),
        ),
        migrations.AddIndex(
            model_name="otpsession",
            index=models.Index(fields=["address", "-created_at"], name="otp_address_newest"),
        ),
    ]
