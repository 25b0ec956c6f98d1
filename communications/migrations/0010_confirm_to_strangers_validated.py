"""Look at the rows that were there before, without keeping anybody from them."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("communications", "0009_confirm_to_strangers")]

    operations = [ValidateConstraint("communicationlog", "communication_log_outbound_has_a_debtor")]
