"""Database functions, triggers and table settings of debts, their ledger and their holds."""

from collection.balances import interest_sql
from collection.holds.active import HOLD_IS_ACTIVE
from collection.models import OPEN
from ddc.common.postgresql.recorded import recorded
from ddc.common.postgresql.triggers import Function, Storage, Trigger

#: Without a search_path of its own, so that PostgreSQL puts the body in the place of the call and can use indexes.
_INLINED = "IMMUTABLE PARALLEL SAFE"

#: The tables that a debt refers to without a foreign key (ADR 6).
_REFERENCES = ("debtor", "creditor", "segment")


def _refuse(table: str) -> str:
    return f"""
        RAISE EXCEPTION 'A debt refers to a {table} that does not exist.'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'debt_{table}_exists';
    END IF;
"""


def _in_statement(table: str) -> str:
    return f"""    IF EXISTS (
        SELECT FROM (SELECT DISTINCT {table}_id AS id FROM inserted WHERE {table}_id IS NOT NULL) AS used
        WHERE NOT EXISTS (SELECT FROM {table} WHERE {table}.id = used.id FOR KEY SHARE)
    ) THEN{_refuse(table)}"""


def _in_row(table: str) -> str:
    return f"""    PERFORM FROM {table} WHERE {table}.id = NEW.{table}_id FOR KEY SHARE;
    IF NOT FOUND AND NEW.{table}_id IS NOT NULL THEN{_refuse(table)}"""


FUNCTIONS = [
    Function(
        name="debt_is_open",
        why="Check whether a debt with this status is open.",
        arguments="status text",
        returns="boolean",
        language="sql",
        options=_INLINED,
        body=f" SELECT status IN ({', '.join(repr(status.value) for status in OPEN)}) ",
    ),
    Function(
        name="hold_is_active",
        why="Check whether a hold is active on any day from the first to the last one.",
        arguments="starts_on date, ends_on date, ended_at timestamp with time zone, first_day date, last_day date",
        returns="boolean",
        language="sql",
        options=_INLINED,
        body=HOLD_IS_ACTIVE,
    ),
    Function(
        name="interest_clock",
        why="Return a day's place in time, by the number of days that a year has for a schedule.",
        arguments=interest_sql.CLOCK_ARGUMENTS,
        returns="bigint",
        language="sql",
        options=_INLINED,
        body=interest_sql.CLOCK,
    ),
    # PostgreSQL puts a set in FROM in the place of the call, but no sum.
    Function(
        name="interest_units",
        why="Return the exact interest of a principal over time by rates, without the days that stop it, as a whole number.",
        arguments=interest_sql.UNITS_ARGUMENTS,
        returns="TABLE(units numeric)",
        language="sql",
        options=_INLINED,
        body=interest_sql.UNITS,
    ),
    # One look-up for each row that the statement refers to, and not one for each debt.
    Function(
        name="check_references_of_new_debts",
        why="Check and lock what the debts of one INSERT refer to, as foreign keys would, once per statement.",
        body=f"""
BEGIN
{"".join(_in_statement(table) for table in _REFERENCES)}    RETURN NULL;
END """,
    ),
    Function(
        name="check_references_of_changed_debt",
        why="Check and lock what a changed debt refers to.",
        body=f"""
BEGIN
{"".join(_in_row(table) for table in _REFERENCES)}    RETURN NULL;
END """,
    ),
    Function(
        name="add_debts_to_open_total",
        why="Add the open debts of one INSERT or COPY to open_total.",
        body="""
BEGIN
    INSERT INTO open_total SELECT currency_code, due_date, count(*), sum(current_balance) FROM inserted
    WHERE debt_is_open(current_status) GROUP BY currency_code, due_date;
    RETURN NULL;
END """,
    ),
    Function(
        name="change_debt_in_open_total",
        why="Add to open_total by how much a changed debt moves its sums.",
        body="""
BEGIN
    IF debt_is_open(OLD.current_status) AND debt_is_open(NEW.current_status)
        AND OLD.currency_code = NEW.currency_code AND OLD.due_date IS NOT DISTINCT FROM NEW.due_date
    THEN
        IF NEW.current_balance <> OLD.current_balance THEN
            INSERT INTO open_total VALUES (NEW.currency_code, NEW.due_date, 0, NEW.current_balance - OLD.current_balance);
        END IF;
        RETURN NULL;
    END IF;
    IF debt_is_open(OLD.current_status) THEN
        INSERT INTO open_total VALUES (OLD.currency_code, OLD.due_date, -1, -OLD.current_balance);
    END IF;
    IF debt_is_open(NEW.current_status) THEN
        INSERT INTO open_total VALUES (NEW.currency_code, NEW.due_date, 1, NEW.current_balance);
    END IF;
    RETURN NULL;
END """,
    ),
    Function(
        name="subtract_debts_from_open_total",
        why="Subtract the open debts of one DELETE from open_total.",
        body="""
BEGIN
    INSERT INTO open_total SELECT currency_code, due_date, -count(*), -sum(current_balance) FROM deleted
    WHERE debt_is_open(current_status) GROUP BY currency_code, due_date;
    RETURN NULL;
END """,
    ),
    Function(
        name="empty_open_total",
        why="Empty open_total with TRUNCATE, since a DELETE would miss rows that a compaction commits at the same time.",
        body="""
BEGIN
    TRUNCATE open_total;
    RETURN NULL;
END """,
    ),
]


def _kept(name: str) -> Trigger:
    return Trigger(
        name=f"{name}_with_debts_stays",
        table=name,
        event="AFTER DELETE",
        function="refuse_delete_of_referenced_row",
        arguments=["debt", f"{name}_id"],
        why=f"A {name} that a debt refers to is not deleted; no foreign key guards it (ADR 6).",
    )


def _immutable(table: str, names: str) -> Trigger:
    return Trigger(
        name=f"{table}_is_kept",
        table=table,
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=[f"{names} are never changed or deleted. Add a new version."],
        why="Debts and their ledger refer to it, and what they were charged must be provable.",
    )


TRIGGERS = [
    _immutable("interest_schedule", "Interest schedules"),
    _immutable("cost_rule", "Cost rules"),
    Trigger(
        name="debt_references_exist",
        table="debt",
        event="AFTER INSERT",
        rows="NEW TABLE AS inserted",
        each="STATEMENT",
        function="check_references_of_new_debts",
        why="A new debt refers to an existing debtor, creditor and segment (ADR 6).",
    ),
    Trigger(
        name="debt_references_still_exist",
        table="debt",
        event=f"AFTER UPDATE OF {', '.join(f'{table}_id' for table in _REFERENCES)}",
        when=" OR ".join(f"OLD.{table}_id IS DISTINCT FROM NEW.{table}_id" for table in _REFERENCES),
        function="check_references_of_changed_debt",
        why="A changed debt refers to an existing debtor, creditor and segment (ADR 6).",
    ),
    *map(_kept, _REFERENCES),
    Trigger(
        name="ledger_entry_is_append_only",
        table="ledger_entry",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["Ledger entries are never changed or deleted. Post a reversal."],
        why="A posted entry stays as it is, whatever program tries to change it.",
    ),
    Trigger(
        name="hold_event_is_append_only",
        table="hold_event",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["The history of a hold is never changed or deleted."],
        why="The history of a hold proves why a debtor was or was not contacted.",
    ),
    Trigger(
        name="open_total_after_insert",
        table="debt",
        event="AFTER INSERT",
        rows="NEW TABLE AS inserted",
        each="STATEMENT",
        function="add_debts_to_open_total",
        always=True,
        why="New debts count in the dashboard's sums, those of a bulk load too.",
    ),
    Trigger(
        name="open_total_after_update",
        table="debt",
        event="AFTER UPDATE OF currency_code, due_date, current_status, current_balance",
        # By row, because most statements change the money of one debt or of none.
        when=(
            "OLD.currency_code IS DISTINCT FROM NEW.currency_code OR OLD.due_date IS DISTINCT FROM NEW.due_date OR "
            "OLD.current_status IS DISTINCT FROM NEW.current_status OR "
            "OLD.current_balance IS DISTINCT FROM NEW.current_balance"
        ),
        function="change_debt_in_open_total",
        always=True,
        why="A payment, a new status, due date or currency changes the dashboard's sums.",
    ),
    Trigger(
        name="open_total_after_delete",
        table="debt",
        event="AFTER DELETE",
        rows="OLD TABLE AS deleted",
        each="STATEMENT",
        function="subtract_debts_from_open_total",
        always=True,
        why="Deleted debts leave the dashboard's sums.",
    ),
    Trigger(
        name="open_total_after_truncate",
        table="debt",
        event="AFTER TRUNCATE",
        each="STATEMENT",
        function="empty_open_total",
        always=True,
        why="An emptied table of debts empties the dashboard's sums.",
    ),
    *recorded("deferral_requests", person="debtor_id"),
    *recorded("parked_placement", person="debtor_id", hidden=("digest",)),
]

STORAGE = [
    Storage(
        table="open_total",
        create=(
            "CREATE TABLE IF NOT EXISTS public.open_total (currency_code varchar(3) NOT NULL, due_date date, "
            "debts bigint NOT NULL, balance numeric NOT NULL)"
        ),
        drop="DROP TABLE IF EXISTS public.open_total",
        why="Changes of what is open by currency and due date; only triggers write it, so that two payments never wait.",
    ),
    Storage(
        table="ledger_entry",
        create="ALTER TABLE public.ledger_entry SET (fillfactor = 90)",
        drop="ALTER TABLE public.ledger_entry RESET (fillfactor)",
        is_set="reloptions @> '{fillfactor=90}'",
        why="New entries go to new pages and not into gaps of old ones, each of which would be written to WAL as a whole.",
    ),
    Storage(
        table="debt",
        create="ALTER TABLE public.debt SET (fillfactor = 85)",
        drop="ALTER TABLE public.debt RESET (fillfactor)",
        is_set="reloptions @> '{fillfactor=85}'",
        why="Room in each page lets a payment change its debt in place (HOT), without a write to eight indexes.",
    ),
]
