"""The database has the triggers that the apps list, and each difference is named."""

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from ddc.common.postgresql import triggers
from ddc.common.postgresql.triggers import InstallTriggers

pytestmark = [pytest.mark.django_db, pytest.mark.owner]


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def findings() -> list[str]:
    return [message.msg for message in run_checks(tags=["database"], databases=["default"])]


def test_a_database_that_was_migrated_from_nothing_has_what_is_listed():
    assert findings() == []
    assert len(triggers.installed(connection)) == sum(len(each.triggers) for each in triggers.every_list()) > 20


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ("DROP TRIGGER ledger_entry_is_append_only ON ledger_entry", "ledger_entry_is_append_only on ledger_entry is missing"),
        ("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_is_append_only", "ledger_entry is disabled"),
        ("ALTER TABLE debt ENABLE TRIGGER open_total_after_insert", "enabled in another way than listed"),
        ("ALTER TABLE debt DISABLE TRIGGER USER", "Trigger open_total_after_delete on debt is disabled"),
        ("DROP FUNCTION check_references_of_new_steps CASCADE", "Function check_references_of_new_steps is missing"),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql "
            "SET search_path TO 'pg_catalog', 'public', 'pg_temp' AS 'BEGIN RETURN NEW; END'",
            "Function refuse_change differs",
        ),
        ("ALTER FUNCTION refuse_delete_without_parent() RESET search_path", "Function refuse_delete_without_parent differs"),
        ("CREATE FUNCTION refuse_change(text) RETURNS text LANGUAGE sql AS 'SELECT 1'", "Function refuse_change differs"),
        (
            "DROP TRIGGER open_total_after_update ON debt; CREATE TRIGGER open_total_after_update AFTER UPDATE OF due_date ON "
            "debt FOR EACH ROW EXECUTE FUNCTION change_debt_in_open_total()",
            "open_total_after_update on debt differs",
        ),
        (
            "DROP TRIGGER hold_event_is_append_only ON hold_event; CREATE TRIGGER hold_event_is_append_only BEFORE DELETE OR "
            "UPDATE ON hold_event FOR EACH ROW WHEN (false) EXECUTE FUNCTION refuse_change('The history of a hold is never "
            "changed or deleted.')",
            "hold_event_is_append_only on hold_event differs",
        ),
        ("CREATE TRIGGER another BEFORE UPDATE ON debt FOR EACH ROW EXECUTE FUNCTION refuse_change('x')", "Trigger another on"),
        ("CREATE FUNCTION another() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "Function another is in no app's"),
        ("ALTER TABLE pending_dispatch SET LOGGED", "Table pending_dispatch is not set up as listed"),
        ("ALTER TABLE debt RESET (fillfactor)", "Table debt is not set up as listed"),
    ],
)  # fmt: skip
def test_tampering_is_found(tampering: str, finding: str):
    sql(tampering)
    found = findings()
    assert any(finding in text for text in found), found
    with pytest.raises(CommandError, match=finding[:30]):
        call_command("triggers", check=True)


def test_what_is_missing_or_changed_is_installed_again():
    sql("DROP TRIGGER ledger_entry_is_append_only ON ledger_entry; ALTER TABLE debt DISABLE TRIGGER USER")
    sql("CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    assert findings() != []
    call_command("triggers", install=True)
    assert findings() == []


def test_the_operation_is_reversible():
    operation = InstallTriggers("communications")
    with connection.schema_editor() as editor:
        operation.database_backwards("common", editor, None, None)
    assert "Trigger attempt_stays on message_attempt is missing." in findings()
    with connection.schema_editor() as editor:
        operation.database_forwards("common", editor, None, None)
    assert findings() == []


def test_a_database_that_waits_for_migrations_is_compared_after_them():
    sql("DROP TRIGGER ledger_entry_is_append_only ON ledger_entry")
    ((app, last),) = MigrationLoader(connection).graph.leaf_nodes("portal")
    MigrationRecorder(connection).record_unapplied(app, last)
    assert findings() == []


def test_a_database_of_older_migrations_is_named_and_how_to_get_a_new_one():
    MigrationRecorder(connection).record_unapplied("debtors", "0001_initial")
    (message,) = run_checks(tags=["database"], databases=["default"])
    assert message.msg.startswith("The database was made by other migrations than this version has.")
    assert "`make reset`" in message.hint


def test_a_database_without_a_column_of_a_model_is_named_too():
    sql("ALTER TABLE debt DROP COLUMN disputed_amount")
    (finding,) = findings()
    assert finding.endswith("It has no debt.disputed_amount.")


def test_the_table_of_triggers_has_a_reason_for_each(capsys: pytest.CaptureFixture[str]):
    call_command("triggers")
    lines = capsys.readouterr().out.splitlines()
    for trigger in (trigger for each in triggers.every_list() for trigger in each.triggers):
        (line,) = [line for line in lines if line.startswith(f"{trigger.name} ")]
        assert line.split()[1] == trigger.table
        assert line.endswith(trigger.why)
