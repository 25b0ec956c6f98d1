"""Extensions, and the functions that the search column of ``debtor`` needs before its table exists."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

from ddc.common.postgresql.triggers import InstallTriggers


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    run_before = [("debtors", "__first__")]
    operations = [TrigramExtension(), UnaccentExtension(), InstallTriggers("debtors")]
