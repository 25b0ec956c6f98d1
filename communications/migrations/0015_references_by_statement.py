"""Check what messages name once per statement instead of once per row: a strategy run writes a hundred thousand at a time.

Why, and what guards it: docs/adr/0006. The locks are those that PostgreSQL's own foreign keys take.
"""

import django.db.models.deletion
from django.db import migrations, models

# Locking sub-queries stay what they are in every plan, a look-up by key for each row: these plans are kept, and one that was made
# for a hundred thousand rows must not read a whole table for the next single one.
CREATE = """
CREATE FUNCTION check_references_of_new_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written WHERE debt_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM debt WHERE debt.id = written.debt_id AND debt.debtor_id = written.debtor_id FOR KEY SHARE
        )
    ) THEN
        RAISE EXCEPTION 'a message is about a debt that is not there, or not its debtor''s'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'communication_log_debt_is_its_debtors';
    END IF;
    IF EXISTS (
        SELECT FROM written WHERE debt_id IS NULL AND debtor_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM debtor WHERE debtor.id = written.debtor_id FOR KEY SHARE
        )
    ) THEN
        RAISE EXCEPTION 'a message has a debtor who is not there'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'communication_log_debtor_is_there';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT template_id AS id FROM written WHERE template_id IS NOT NULL) AS named
        WHERE NOT EXISTS (SELECT FROM communication_templates AS template WHERE template.id = named.id FOR KEY SHARE)
    ) THEN
        RAISE EXCEPTION 'a message has a template that is not there'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'communication_log_template_is_there';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION check_references_of_changed_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM debt WHERE debt.id = NEW.debt_id AND debt.debtor_id = NEW.debtor_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.debt_id IS NOT NULL THEN
        RAISE EXCEPTION 'a message is about a debt that is not there, or not its debtor''s'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'communication_log_debt_is_its_debtors';
    END IF;
    PERFORM FROM debtor WHERE debtor.id = NEW.debtor_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.debtor_id IS NOT NULL THEN
        RAISE EXCEPTION 'a message has a debtor who is not there'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'communication_log_debtor_is_there';
    END IF;
    PERFORM FROM communication_templates AS template WHERE template.id = NEW.template_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.template_id IS NOT NULL THEN
        RAISE EXCEPTION 'a message has a template that is not there'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'communication_log_template_is_there';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER log_names_what_is_there AFTER INSERT ON communication_log
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION check_references_of_new_messages();
CREATE TRIGGER log_still_names_what_is_there AFTER UPDATE OF debtor_id, debt_id, template_id ON communication_log
    FOR EACH ROW WHEN (
        (OLD.debtor_id, OLD.debt_id, OLD.template_id) IS DISTINCT FROM (NEW.debtor_id, NEW.debt_id, NEW.template_id)
    ) EXECUTE FUNCTION check_references_of_changed_message();

-- Arguments: the table and its column that may name the row.
CREATE FUNCTION refuse_loss_of_what_is_named() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_named boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I = $1)', TG_ARGV[0], TG_ARGV[1]) INTO is_named USING OLD.id;
    IF is_named THEN
        RAISE EXCEPTION 'a row of % is named in %', TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER debt_of_a_message_stays AFTER DELETE ON debt
    FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_what_is_named('communication_log', 'debt_id');
CREATE TRIGGER debtor_of_a_message_stays AFTER DELETE ON debtor
    FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_what_is_named('communication_log', 'debtor_id');
CREATE TRIGGER template_of_a_message_stays AFTER DELETE ON communication_templates
    FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_what_is_named('communication_log', 'template_id');
"""
DROP = """
DROP TRIGGER debt_of_a_message_stays ON debt;
DROP TRIGGER debtor_of_a_message_stays ON debtor;
DROP TRIGGER template_of_a_message_stays ON communication_templates;
DROP TRIGGER log_names_what_is_there ON communication_log;
DROP TRIGGER log_still_names_what_is_there ON communication_log;
DROP FUNCTION refuse_loss_of_what_is_named(), check_references_of_new_messages(), check_references_of_changed_message();
"""


def _without_constraint(name: str, to: str, related_name: str, *, has_index: bool = False) -> migrations.AlterField:
    field = models.ForeignKey(
        blank=True,
        db_constraint=False,
        db_index=has_index,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=to,
    )
    return migrations.AlterField(model_name="communicationlog", name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [
        ("communications", "0014_index_of_messages_in_doubt"),
        ("collections", "0007_holds_have_a_history"),
        ("debtors", "0003_contact_points"),
    ]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        _without_constraint("debtor", "debtors.debtor", "communication_logs"),
        _without_constraint("debt", "collections.debt", "communication_logs"),
        _without_constraint("template", "communications.communicationtemplate", "+", has_index=True),
    ]
