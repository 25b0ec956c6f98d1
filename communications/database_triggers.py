"""Database functions, triggers and table settings of messages, templates and the evidence of what was sent."""

from collections.abc import Iterator

from ddc.common.postgresql.triggers import Function, Storage, Trigger

_DEBT = "A message refers to a debt that does not exist or belongs to another debtor."
_DEBTOR = "A message refers to a debtor that does not exist."
_TEMPLATE = "A message refers to a template that does not exist."

FUNCTIONS = [
    # Locking sub-queries stay a look-up by key for each row in every plan. These plans are kept, and one that was made for
    # a hundred thousand rows must not read a whole table for the next single row.
    Function(
        name="check_references_of_new_messages",
        why="Check and lock what the messages of one INSERT refer to, as foreign keys would, once per statement.",
        body=f"""
BEGIN
    IF EXISTS (
        SELECT FROM inserted WHERE debt_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM debt WHERE debt.id = inserted.debt_id AND debt.debtor_id = inserted.debtor_id FOR KEY SHARE
        )
    ) THEN
        RAISE EXCEPTION '{_DEBT}' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'message_debt_is_of_its_debtor';
    END IF;
    IF EXISTS (
        SELECT FROM inserted WHERE debt_id IS NULL AND debtor_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM debtor WHERE debtor.id = inserted.debtor_id FOR KEY SHARE
        )
    ) THEN
        RAISE EXCEPTION '{_DEBTOR}' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'message_debtor_exists';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT template_id AS id FROM inserted WHERE template_id IS NOT NULL) AS used
        WHERE NOT EXISTS (SELECT FROM communication_templates AS template WHERE template.id = used.id FOR KEY SHARE)
    ) THEN
        RAISE EXCEPTION '{_TEMPLATE}' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'message_template_exists';
    END IF;
    RETURN NULL;
END """,
    ),
    Function(
        name="check_references_of_changed_message",
        why="Check and lock what a changed message refers to.",
        body=f"""
BEGIN
    PERFORM FROM debt WHERE debt.id = NEW.debt_id AND debt.debtor_id = NEW.debtor_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.debt_id IS NOT NULL THEN
        RAISE EXCEPTION '{_DEBT}' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'message_debt_is_of_its_debtor';
    END IF;
    PERFORM FROM debtor WHERE debtor.id = NEW.debtor_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.debtor_id IS NOT NULL THEN
        RAISE EXCEPTION '{_DEBTOR}' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'message_debtor_exists';
    END IF;
    PERFORM FROM communication_templates AS template WHERE template.id = NEW.template_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.template_id IS NOT NULL THEN
        RAISE EXCEPTION '{_TEMPLATE}' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'message_template_exists';
    END IF;
    RETURN NULL;
END """,
    ),
]


def _evidence(name: str, table: str, parent: str, key: str) -> Iterator[Trigger]:
    yield Trigger(
        name=f"{name}_is_written_once",
        table=table,
        event="BEFORE UPDATE",
        function="refuse_change",
        arguments=[f"Rows of {table} are never changed."],
        why="Evidence of what was sent stays as it was written.",
    )
    yield Trigger(
        name=f"{name}_stays",
        table=table,
        event="AFTER DELETE",
        deferred=True,
        function="refuse_delete_without_parent",
        arguments=[parent, key],
        why=f"It is deleted only together with its row of {parent}.",
    )


def _kept(name: str, table: str, column: str) -> Trigger:
    return Trigger(
        name=f"{name}_with_messages_stays",
        table=table,
        event="AFTER DELETE",
        function="refuse_delete_of_referenced_row",
        arguments=["communication_log", column],
        why=f"A {name} that a message refers to is not deleted; no foreign key guards it (ADR 6).",
    )


TRIGGERS = [
    *_evidence("template_version", "communication_template_version", "communication_templates", "template_id"),
    *_evidence("attempt", "message_attempt", "communication_log", "message_id"),
    *_evidence("uncertain_resolution", "uncertain_resolution", "communication_log", "message_id"),
    Trigger(
        name="message_references_exist",
        table="communication_log",
        event="AFTER INSERT",
        rows="NEW TABLE AS inserted",
        each="STATEMENT",
        function="check_references_of_new_messages",
        why="A new message refers to an existing debtor, template and debt of that debtor (ADR 6).",
    ),
    Trigger(
        name="message_references_still_exist",
        table="communication_log",
        event="AFTER UPDATE OF debtor_id, debt_id, template_id",
        when=(
            "OLD.debtor_id IS DISTINCT FROM NEW.debtor_id OR OLD.debt_id IS DISTINCT FROM NEW.debt_id OR "
            "OLD.template_id IS DISTINCT FROM NEW.template_id"
        ),
        function="check_references_of_changed_message",
        why="A changed message refers to an existing debtor, template and debt of that debtor.",
    ),
    _kept("debt", "debt", "debt_id"),
    _kept("debtor", "debtor", "debtor_id"),
    _kept("template", "communication_templates", "template_id"),
]

STORAGE = [
    Storage(
        table="communication_log",
        create="ALTER TABLE public.communication_log SET (fillfactor = 90)",
        drop="ALTER TABLE public.communication_log RESET (fillfactor)",
        is_set="reloptions @> '{fillfactor=90}'",
        why="Room in each page keeps the states of a message beside it, which saves a third of a strategy run's WAL.",
    ),
    Storage(
        table="pending_dispatch",
        create="ALTER TABLE public.pending_dispatch SET UNLOGGED",
        drop="ALTER TABLE public.pending_dispatch SET LOGGED",
        is_set="relpersistence = 'u'",
        why="The table must be empty after a crash of the server, which may have lost that a message was started.",
    ),
]
