"""A step is its message's: it needs no id of its own, no index that nothing reads, and no check per row (docs/adr/0006)."""

import django.db.models.deletion
from django.db import migrations, models

from ddc.common.indexes import RunConcurrently

CHECKS = """
CREATE FUNCTION check_references_of_new_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- OFFSET 0 keeps it a look-up by key for each row, whatever the table's size when this was planned.
    IF EXISTS (
        SELECT FROM written WHERE NOT EXISTS (
            SELECT FROM communication_log AS log WHERE log.id = written.log_id AND log.debt_id = written.debt_id OFFSET 0
        )
    ) THEN
        RAISE EXCEPTION 'a step has a message that is not there, or not about its debt'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'strategy_step_message_is_of_its_debt';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT rule_id AS id FROM written) AS named
        WHERE NOT EXISTS (SELECT FROM strategy_rule AS rule WHERE rule.id = named.id FOR KEY SHARE)
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT run_id AS id FROM written) AS named
        WHERE NOT EXISTS (SELECT FROM strategy_run AS run WHERE run.id = named.id FOR KEY SHARE)
    ) THEN
        RAISE EXCEPTION 'a step has a rule or a run that is not there'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'strategy_step_rule_and_run_are_there';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change_of_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a step is written once' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER step_names_what_is_there AFTER INSERT ON strategy_step
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION check_references_of_new_steps();
CREATE TRIGGER step_is_written_once BEFORE UPDATE ON strategy_step
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_step();
CREATE TRIGGER message_of_a_step_stays AFTER DELETE ON communication_log
    FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_what_is_named('strategy_step', 'log_id');
CREATE TRIGGER rule_of_a_step_stays AFTER DELETE ON strategy_rule
    FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_what_is_named('strategy_step', 'rule_id');
CREATE TRIGGER run_of_a_step_stays AFTER DELETE ON strategy_run
    FOR EACH ROW EXECUTE FUNCTION refuse_loss_of_what_is_named('strategy_step', 'run_id');
"""
NO_CHECKS = """
DROP TRIGGER message_of_a_step_stays ON communication_log;
DROP TRIGGER rule_of_a_step_stays ON strategy_rule;
DROP TRIGGER run_of_a_step_stays ON strategy_run;
DROP TRIGGER step_names_what_is_there ON strategy_step;
DROP TRIGGER step_is_written_once ON strategy_step;
DROP FUNCTION check_references_of_new_steps(), refuse_change_of_step();
"""
# By what index a day's steps are found: those of a rule between two days.
INDEXES = [
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS strategy_step_of_log ON strategy_step (log_id)",
    """
    CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS strategy_step_by_occurrence
        ON strategy_step (rule_id, occurrence, debt_id)
    """,
]
OLD_INDEX = [
    """
    CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS strategy_step_by_debt ON strategy_step (rule_id, debt_id, occurrence)
    """
]
KEYS = """
ALTER TABLE strategy_step DROP COLUMN id, DROP CONSTRAINT strategy_step_log_id_key, DROP CONSTRAINT strategy_step_fires_once,
    ADD CONSTRAINT strategy_step_pkey PRIMARY KEY USING INDEX strategy_step_of_log,
    ADD CONSTRAINT strategy_step_fires_once UNIQUE USING INDEX strategy_step_by_occurrence;
"""
OLD_KEYS = """
ALTER TABLE strategy_step DROP CONSTRAINT strategy_step_pkey, DROP CONSTRAINT strategy_step_fires_once,
    ADD COLUMN id uuid DEFAULT uuidv7() PRIMARY KEY, ADD CONSTRAINT strategy_step_log_id_key UNIQUE (log_id),
    ADD CONSTRAINT strategy_step_fires_once UNIQUE USING INDEX strategy_step_by_debt;
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("strategy", "0004_contact_outlook"),
        ("communications", "0016_log_by_time"),
        ("collections", "0008_debts_by_placement"),
    ]
    operations = [
        migrations.AlterField(
            "strategystep",
            "debt",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="strategy_steps",
                to="collections.debt",
            ),
        ),
        *[
            migrations.AlterField(
                "strategystep",
                name,
                models.ForeignKey(
                    db_constraint=False,
                    db_index=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="steps",
                    to=to,
                ),
            )
            for name, to in (("rule", "strategy.strategyrule"), ("run", "strategy.strategyrun"))
        ],
        migrations.AlterField(
            "strategystep",
            "log",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="strategy_step",
                to="communications.communicationlog",
            ),
        ),
        RunConcurrently(INDEXES, RunConcurrently.noop),
        migrations.SeparateDatabaseAndState(
            # In one string, and so in one transaction: where a lock is not to be had, neither is done, and both can be run again.
            database_operations=[migrations.RunSQL(KEYS + CHECKS, NO_CHECKS + OLD_KEYS)],
            state_operations=[
                migrations.RemoveField("strategystep", "id"),
                migrations.AlterField(
                    "strategystep",
                    "log",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="strategy_step",
                        serialize=False,
                        to="communications.communicationlog",
                    ),
                ),
                migrations.RemoveConstraint("strategystep", "strategy_step_fires_once"),
                migrations.AddConstraint(
                    "strategystep",
                    models.UniqueConstraint(fields=["rule", "occurrence", "debt"], name="strategy_step_fires_once"),
                ),
            ],
        ),
        RunConcurrently(RunConcurrently.noop, OLD_INDEX),
    ]
