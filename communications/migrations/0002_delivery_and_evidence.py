"""Versions of templates, attempts, seals, decisions on what is uncertain, and what is known of providers."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections", "0003_hold_lifted"),
        ("communications", "0001_initial"),
        ("debtors", "0002_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Circuit",
            fields=[
                ("provider", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("failures", models.PositiveIntegerField(default=0, help_text="In a row.")),
                (
                    "open_until",
                    models.DateTimeField(
                        blank=True, help_text="Nothing goes until then, and one message after.", null=True
                    ),
                ),
                ("opened_at", models.DateTimeField(blank=True, help_text="Since when it has been down.", null=True)),
                ("openings", models.PositiveIntegerField(default=0, help_text="How often it was found down in a row.")),
                ("words", models.CharField(blank=True, help_text="What it said last.", max_length=500, null=True)),
            ],
            options={
                "db_table": "provider_circuit",
            },
        ),
        migrations.CreateModel(
            name="CommunicationTemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="1 is the first.")),
                ("language", models.CharField(max_length=20)),
                ("subject", models.CharField(blank=True, max_length=255, null=True)),
                ("body", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
            ],
            options={
                "verbose_name": "template version",
                "db_table": "communication_template_version",
                "ordering": ["template", "-number"],
            },
        ),
        migrations.CreateModel(
            name="MessageAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(help_text="1 is the first.")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("provider", models.CharField(max_length=30)),
                ("result", models.CharField(help_text="sent, retry, failed, opted_out or uncertain.", max_length=10)),
                ("provider_message_id", models.CharField(blank=True, max_length=255, null=True)),
                ("answer", models.CharField(blank=True, help_text="The provider's words.", max_length=500, null=True)),
            ],
            options={
                "verbose_name": "attempt",
                "db_table": "message_attempt",
                "ordering": ["log", "number", "id"],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "decision",
                    models.CharField(choices=[("went", "It went"), ("sent_again", "Send again")], max_length=10),
                ),
                ("at", models.DateTimeField()),
                ("why", models.CharField(max_length=500)),
            ],
            options={
                "db_table": "message_settlement",
            },
        ),
        migrations.RemoveIndex(
            model_name="communicationlog",
            name="log_waiting",
        ),
        migrations.AddField(
            model_name="communicationlog",
            name="clicked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="communicationlog",
            name="complained_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="communicationlog",
            name="draft",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="Subject and body before they were filled in, for another try.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="communicationlog",
            name="seal",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="A keyed digest of the message and its attempts.",
                max_length=80,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="communicationtemplateversion",
            name="template",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="versions",
                to="communications.communicationtemplate",
            ),
        ),
        migrations.AddField(
            model_name="communicationlog",
            name="template_version",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="communications.communicationtemplateversion",
            ),
        ),
        migrations.AddIndex(
            model_name="communicationlog",
            index=models.Index(
                condition=models.Q(("status__in", ["queued", "postponed", "claimed", "sending"])),
                fields=["communication_type", "due_at"],
                name="log_waiting_by_channel",
            ),
        ),
        migrations.AddIndex(
            model_name="communicationlog",
            index=models.Index(
                condition=models.Q(("purpose", "solicited"), ("status__in", ["queued", "postponed", "claimed"])),
                fields=["due_at"],
                name="log_solicited_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="communicationlog",
            index=models.Index(condition=models.Q(("status", "sending")), fields=["due_at"], name="log_in_hand_over"),
        ),
        migrations.AddField(
            model_name="messageattempt",
            name="log",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempt_rows",
                to="communications.communicationlog",
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="log",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settlement",
                to="communications.communicationlog",
            ),
        ),
        migrations.AddField(
            model_name="settlement",
            name="sent_again_as",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sent_again_for",
                to="communications.communicationlog",
            ),
        ),
        migrations.AddConstraint(
            model_name="communicationtemplateversion",
            constraint=models.UniqueConstraint(fields=("template", "number"), name="template_version_number_is_unique"),
        ),
        migrations.AddIndex(
            model_name="messageattempt",
            index=models.Index(fields=["log", "number", "id"], name="attempt_of_log"),
        ),
    ]
