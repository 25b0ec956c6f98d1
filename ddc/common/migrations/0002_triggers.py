"""Functions, triggers and table settings of all apps: see each app's ``database_triggers.py``."""

from django.db import migrations

from ddc.common.postgresql.triggers import InstallTriggers

LABELS = [
    "agency", "agents", "audit", "debtors", "collections", "arrangements", "contact", "payments", "communications", "casework",
    "strategy",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0001_search"),
        *((label, "__first__") for label in LABELS),
        ("strategy", "0007_versions"),
    ]
    operations = [InstallTriggers("common"), *(InstallTriggers(label) for label in LABELS)]
