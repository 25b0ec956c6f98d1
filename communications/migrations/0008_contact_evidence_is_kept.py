"""Guard in the database itself what the contact gate decided, and by which policies: neither is changed or deleted."""

from django.db import migrations

CREATE = """
CREATE FUNCTION refuse_contact_evidence_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'decisions and policies of the contact gate are never changed or deleted: make a new one'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER contact_decision_is_append_only BEFORE UPDATE OR DELETE ON contact_decision
FOR EACH ROW EXECUTE FUNCTION refuse_contact_evidence_change();

CREATE TRIGGER contact_policy_is_kept BEFORE DELETE ON contact_policy
FOR EACH ROW EXECUTE FUNCTION refuse_contact_evidence_change();

CREATE TRIGGER contact_policy_only_ends BEFORE UPDATE ON contact_policy
FOR EACH ROW WHEN (
    to_jsonb(OLD) - 'valid_to' - 'updated_at' IS DISTINCT FROM to_jsonb(NEW) - 'valid_to' - 'updated_at'
) EXECUTE FUNCTION refuse_contact_evidence_change();
"""
DROP = """
DROP TRIGGER contact_decision_is_append_only ON contact_decision;
DROP TRIGGER contact_policy_is_kept ON contact_policy;
DROP TRIGGER contact_policy_only_ends ON contact_policy;
DROP FUNCTION refuse_contact_evidence_change();
"""


class Migration(migrations.Migration):
    dependencies = [("communications", "0007_contact_gate")]
    operations = [migrations.RunSQL(CREATE, DROP)]
