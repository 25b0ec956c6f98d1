"""Guard the evidence in the database itself: versions of templates, attempts and decisions are written once.

They go with what they belong to, and not without it: the triggers on DELETE wait for the end of the transaction to see.
"""

from django.db import migrations

FIRST_VERSIONS = """
INSERT INTO communication_template_version (template_id, number, language, subject, body, created_at)
SELECT id, 1, language, subject, body, updated_at FROM communication_templates;
"""
CREATE = """
CREATE FUNCTION refuse_change_of_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are written once', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION refuse_loss_of_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM communication_templates WHERE id = OLD.template_id) THEN
        RAISE EXCEPTION 'a version stays with its template' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_loss_of_log_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM communication_log WHERE id = OLD.log_id) THEN
        RAISE EXCEPTION '% rows stay with their message', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER template_version_is_written_once BEFORE UPDATE ON communication_template_version
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_evidence();
CREATE TRIGGER attempt_is_written_once BEFORE UPDATE ON message_attempt
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_evidence();
CREATE TRIGGER settlement_is_written_once BEFORE UPDATE ON message_settlement
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_evidence();

CREATE CONSTRAINT TRIGGER template_version_stays AFTER DELETE ON communication_template_version
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_version();
CREATE CONSTRAINT TRIGGER attempt_stays AFTER DELETE ON message_attempt
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_log_evidence();
CREATE CONSTRAINT TRIGGER settlement_stays AFTER DELETE ON message_settlement
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_log_evidence();
"""
DROP = """
DROP TRIGGER template_version_is_written_once ON communication_template_version;
DROP TRIGGER attempt_is_written_once ON message_attempt;
DROP TRIGGER settlement_is_written_once ON message_settlement;
DROP TRIGGER template_version_stays ON communication_template_version;
DROP TRIGGER attempt_stays ON message_attempt;
DROP TRIGGER settlement_stays ON message_settlement;
DROP FUNCTION refuse_change_of_evidence(), refuse_loss_of_version(), refuse_loss_of_log_evidence();
"""


class Migration(migrations.Migration):
    dependencies = [("communications", "0002_delivery_and_evidence")]
    operations = [
        migrations.RunSQL(FIRST_VERSIONS, migrations.RunSQL.noop),
        migrations.RunSQL(CREATE, DROP),
    ]
