"""Guard the ledger in the database itself: what was posted is never changed or deleted, by whatever program."""

from django.db import migrations

CREATE = """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are never changed or deleted: post a reversal' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ledger_entry_is_append_only BEFORE UPDATE OR DELETE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
"""
DROP = "DROP TRIGGER ledger_entry_is_append_only ON ledger_entry; DROP FUNCTION refuse_ledger_change();"


class Migration(migrations.Migration):
    dependencies = [("collections", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
