"""Leave room in each page of debts, so that a payment changes a debt in place.

A row that finds room in its own page, and whose indexed columns stay as they are, writes to none of the eight indexes (HOT). Debts
come in by COPY and fill their pages; what is already there moves as it is changed, or with ``VACUUM FULL debt``.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("collections", "0012_open_totals")]
    operations = [migrations.RunSQL("ALTER TABLE debt SET (fillfactor = 85)", "ALTER TABLE debt RESET (fillfactor)")]
