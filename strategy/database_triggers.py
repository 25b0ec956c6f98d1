"""Database functions and triggers of strategy steps."""

from ddc.common.postgresql.triggers import Function, Trigger

FUNCTIONS = [
    Function(
        name="publish_strategy_rule",
        why="Copy a rule into a new version if anything about it changed that a run reads.",
        body="""
DECLARE
    fresh jsonb := to_jsonb(NEW)
        - ARRAY['id', 'name', 'priority', 'is_active', 'running_debts', 'published_at', 'created_at', 'updated_at'];
    known record;
BEGIN
    SELECT number, content INTO known FROM strategy_rule_version WHERE rule_id = NEW.id ORDER BY number DESC LIMIT 1;
    IF known.content IS DISTINCT FROM fresh THEN
        INSERT INTO strategy_rule_version (rule_id, number, content, running_debts, published_at) VALUES (
            NEW.id, coalesce(known.number, 0) + 1, fresh,
            CASE WHEN known.number IS NULL THEN 'move' ELSE NEW.running_debts END, NEW.published_at
        );
    END IF;
    RETURN NULL;
END """,
    ),
    Function(
        name="strategy_day_after_pauses",
        why="The day on which a rule is due, from its day without pauses, by what the rule does after a pause.",
        arguments="counted_from date, due date, spans datemultirange, after_pause text",
        returns="date",
        body="""
DECLARE
    span daterange;
    begins date;
BEGIN
    counted_from := least(counted_from, due);
    FOR span IN SELECT unnest(spans) LOOP
        CONTINUE WHEN upper(span) <= counted_from;
        begins := greatest(lower(span), counted_from);
        EXIT WHEN begins > due;
        IF after_pause = 'shift' THEN
            due := due + (upper(span) - begins);
        ELSIF after_pause = 'catch_up' AND due < upper(span) THEN
            due := upper(span);
        END IF;
    END LOOP;
    RETURN due;
END """,
    ),
    Function(
        name="check_references_of_new_steps",
        why="Check and lock what the steps of one INSERT refer to, as foreign keys would, once per statement.",
        # OFFSET 0 keeps it a look-up by key for each row, whatever the table's size when this was planned.
        body="""
BEGIN
    IF EXISTS (
        SELECT FROM inserted WHERE NOT EXISTS (
            SELECT FROM communication_log AS message
            WHERE message.id = inserted.message_id AND message.debt_id = inserted.debt_id OFFSET 0
        )
    ) THEN
        RAISE EXCEPTION 'A step refers to a message that does not exist or is about another debt.'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'strategy_step_message_is_of_its_debt';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT rule_id AS id FROM inserted) AS used
        WHERE NOT EXISTS (SELECT FROM strategy_rule AS rule WHERE rule.id = used.id FOR KEY SHARE)
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT run_id AS id FROM inserted) AS used
        WHERE NOT EXISTS (SELECT FROM strategy_run AS run WHERE run.id = used.id FOR KEY SHARE)
    ) THEN
        RAISE EXCEPTION 'A step refers to a rule or a run that does not exist.'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'strategy_step_rule_and_run_exist';
    END IF;
    RETURN NULL;
END """,
    ),
]


def _kept(name: str, table: str, column: str) -> Trigger:
    return Trigger(
        name=f"{name}_of_a_step_stays",
        table=table,
        event="AFTER DELETE",
        function="refuse_delete_of_referenced_row",
        arguments=["strategy_step", column],
        why=f"A {name} that a step refers to is not deleted; no foreign key guards it (ADR 6).",
    )


TRIGGERS = [
    Trigger(
        name="strategy_rule_is_published",
        table="strategy_rule",
        event="AFTER INSERT OR UPDATE",
        function="publish_strategy_rule",
        always=True,
        why="Each state of a rule that a run may have used is kept, whatever program changes the rule.",
    ),
    Trigger(
        name="strategy_rule_version_stays",
        table="strategy_rule_version",
        event="BEFORE UPDATE",
        function="refuse_change",
        arguments=["Published versions of a strategy rule are never changed. Publish another one."],
        why="A step refers to the version that queued its message.",
    ),
    Trigger(
        name="step_references_exist",
        table="strategy_step",
        event="AFTER INSERT",
        rows="NEW TABLE AS inserted",
        each="STATEMENT",
        function="check_references_of_new_steps",
        why="A new step refers to an existing rule, run and message about its debt (ADR 6).",
    ),
    Trigger(
        name="step_is_written_once",
        table="strategy_step",
        event="BEFORE UPDATE",
        function="refuse_change",
        arguments=["Strategy steps are never changed."],
        why="A step proves which rule queued which message.",
    ),
    _kept("message", "communication_log", "message_id"),
    _kept("rule", "strategy_rule", "rule_id"),
    _kept("run", "strategy_run", "run_id"),
]
