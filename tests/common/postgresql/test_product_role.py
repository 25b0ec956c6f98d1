"""The product's database role cannot switch a guarantee off, whatever it runs or sets."""

from collections.abc import Callable

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from communications.models import CommunicationLog, CommunicationTemplateVersion, MessageAttempt
from ddc.common.postgresql import rights
from strategy.models import StrategyRun, StrategyStep
from tests import factories
from tests.deep import processes
from tests.strategy import makers

pytestmark = pytest.mark.django_db

PERMISSION_DENIED = "42501"
#: A transaction cannot write, or not go on, with these turned on; they weaken nothing.
STOPPING = ["default_transaction_read_only", "transaction_read_only", "transaction_deferrable", "exit_on_error"]


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def number(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


@pytest.fixture
def product() -> None:
    """Rows that triggers guard, in a session that signed in with the product's role, as every test's."""
    assert number("SELECT current_user = 'ddc' AND session_user = 'ddc'")
    rule, debt = makers.rule(), factories.debt()
    message = CommunicationLog.objects.create(
        debt=debt, debtor=debt.debtor, template=rule.template, status="sent", communication_type="email"
    )
    CommunicationTemplateVersion.objects.create(template=rule.template, number=1, language="en", body="x")
    MessageAttempt.objects.create(
        message=message, number=1, began_at=makers.clock(), ended_at=makers.clock(), provider="smtp", result="sent"
    )
    run = StrategyRun.objects.create(status="done", date=makers.TODAY)
    StrategyStep.objects.create(message=message, rule=rule, run=run, debt=debt, anchor=debt.pk, occurrence=makers.TODAY)
    sql("SET CONSTRAINTS ALL IMMEDIATE")


def every_boolean_turned() -> str:
    """Turn round every switch that PostgreSQL lets the role turn."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, CASE setting WHEN 'on' THEN 'off' ELSE 'on' END FROM pg_settings "
            "WHERE vartype = 'bool' AND context = 'user' AND name <> ALL(%s)",
            [STOPPING],
        )
        return "; ".join(f"SET LOCAL {name} = {value}" for name, value in cursor.fetchall())


def shadowing_tables() -> str:
    """Make an empty temporary table beside each of ours, and have it found first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
    made = "; ".join(f'CREATE TEMP TABLE "{name}" (LIKE public."{name}")' for name in names)
    return f"{made}; SET LOCAL search_path = pg_temp, public"


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    "settings",
    [
        lambda: "SELECT 1",
        lambda: "SET CONSTRAINTS ALL DEFERRED",
        lambda: "SET CONSTRAINTS ALL IMMEDIATE",
        shadowing_tables,
        lambda: "SET LOCAL search_path = pg_temp",
        every_boolean_turned,
        lambda: "SET LOCAL ddc.guard = off; SET LOCAL ddc.owner_password = 'x'",
    ],
    ids=[
        "nothing",
        "deferred",
        "immediate",
        "temporary tables",
        "no search path",
        "booleans",
        "own setting",
    ],
)
def test_what_the_role_sets_leaves_the_guarantees(settings: Callable[[], str]):
    sql(settings())
    for violation in (
        "UPDATE public.ledger_entry SET amount = amount + 1",
        "DELETE FROM public.ledger_entry",
        "UPDATE public.message_attempt SET answer = 'x'",
        "DELETE FROM public.message_attempt",
        "DELETE FROM public.strategy_rule",
        "DELETE FROM public.strategy_run",
        "UPDATE public.strategy_step SET occurrence = occurrence + 1",
        "UPDATE public.communication_template_version SET body = 'y'",
        "UPDATE public.communication_log SET debtor_id = uuidv7()",
        "UPDATE public.communication_log SET template_id = uuidv7()",
        "DELETE FROM public.communication_log",
        "INSERT INTO public.communication_log (communication_type, debtor_id) VALUES ('email', uuidv7())",
    ):
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            sql(f"{violation}; SET CONSTRAINTS ALL IMMEDIATE")
        assert refused.value.__cause__.sqlstate.startswith(("23", PERMISSION_DENIED)), (violation, refused.value)
    before = number("SELECT coalesce(sum(balance), 0) FROM public.open_total")
    sql("UPDATE public.debt SET current_balance = current_balance + 1 WHERE current_status = 'active'")
    changed = number("SELECT count(*) FROM public.debt WHERE current_status = 'active'")
    assert number("SELECT sum(balance) FROM public.open_total") == before + changed > before


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
        "ALTER DATABASE {database} SET session_replication_role = replica",
        "SET allow_system_table_mods = on",
        "DO 'BEGIN END'; SET plpgsql.variable_conflict = use_variable",
        "SET ROLE ddc_owner",
        "SET SESSION AUTHORIZATION ddc_owner",
        "ALTER ROLE ddc SUPERUSER",
        "ALTER ROLE ddc CREATEROLE",
        "ALTER ROLE ddc_owner PASSWORD 'mine'",
        "GRANT ddc_owner TO ddc",
        "CREATE ROLE another",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_is_append_only",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "ALTER TABLE ledger_entry OWNER TO ddc",
        "ALTER TABLE ledger_entry INHERIT debt",
        "ALTER TABLE debt DROP CONSTRAINT debt_is_paid_only_at_zero",
        "ALTER TABLE debt RENAME TO old_debt",
        "DROP TRIGGER ledger_entry_is_append_only ON ledger_entry",
        "CREATE TRIGGER mine BEFORE UPDATE ON debt FOR EACH ROW EXECUTE FUNCTION refuse_change('x')",
        "CREATE RULE mine AS ON DELETE TO debt DO INSTEAD NOTHING",
        "CREATE POLICY mine ON debt",
        "DROP TABLE ledger_entry",
        "DROP INDEX debtor_email_is_unique",
        "DROP EXTENSION pg_trgm",
        "CREATE EXTENSION btree_gist",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER FUNCTION refuse_change() RESET search_path",
        "DROP FUNCTION refuse_change() CASCADE",
        "CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
        "CREATE FUNCTION pg_catalog.mine() RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
        "CREATE FUNCTION pg_temp.mine() RETURNS text LANGUAGE internal AS 'now'",
        "CREATE TABLE public.mine ()",
        "CREATE VIEW public.mine AS SELECT 1",
        "CREATE SCHEMA first_in_the_path",
        "ALTER SCHEMA public RENAME TO old",
        "TRUNCATE ledger_entry CASCADE",
        "TRUNCATE open_total",
        "UPDATE pg_trigger SET tgenabled = 'D'",
        "DELETE FROM django_migrations",
        "UPDATE auth_permission SET codename = 'x'",
        "DELETE FROM auth_group_permissions",
        "DELETE FROM django_admin_log",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY debt FROM PROGRAM 'true'",
        "COPY debt TO '/tmp/debt'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "ALTER SYSTEM SET fsync = off",
    ],
)
def test_the_role_may_not(statement: str):
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        sql(statement.replace("{database}", name))
    # ALTER SYSTEM is refused in any transaction, GRANT of a role without ADMIN as an invalid grant.
    assert refused.value.__cause__.sqlstate in (PERMISSION_DENIED, "0LP01", "25001"), refused.value


def test_rows_that_are_never_changed_are_not_granted():
    guarded = {
        *("ledger_entry", "hold_event", "contact_decision", "message_attempt", "uncertain_resolution", "strategy_step"),
        *("communication_template_version", "contact_policy", "django_admin_log"),
    }
    assert guarded <= set(rights.expected())
    for table, granted in rights.expected().items():
        for verb in rights.WRITTEN - granted - {"SELECT", "INSERT"}:
            statement = (
                f"DELETE FROM {table}" if verb == "DELETE" else f"UPDATE {table} SET {first_column(table)} = DEFAULT"
            )
            with pytest.raises(DatabaseError, match=f"permission denied for table {table}"), transaction.atomic():
                sql(statement)


def first_column(table: str) -> object:
    return number(f"SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum = 1")


def test_the_database_grants_the_role_what_is_listed_and_no_more():
    assert [message.msg for message in rights.differences(connection)] == []


@pytest.mark.owner
@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            "GRANT DELETE ON ledger_entry TO ddc",
            "DELETE, INSERT, SELECT on table ledger_entry; it needs INSERT, SELECT.",
        ),
        ("GRANT DELETE ON ledger_entry TO PUBLIC", "on table ledger_entry"),
        ("GRANT TRUNCATE ON debt TO ddc", "on table debt"),
        ("REVOKE SELECT ON debt FROM ddc", "on table debt"),
    ],
)
def test_each_other_right_is_found_and_corrected(change: str, finding: str):
    sql(change)
    found = [message.msg for message in rights.differences(connection)]
    assert any(finding in text for text in found), found
    call_command("triggers", install=True)
    assert list(rights.differences(connection)) == []


@pytest.mark.owner
@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("GRANT CREATE ON SCHEMA public TO ddc", "ddc may create objects in the schema public."),
        ("GRANT CREATE ON DATABASE {database} TO ddc", "ddc may create schemas."),
        # A table is given only to a role that may create tables.
        ("GRANT CREATE ON SCHEMA public TO ddc; ALTER TABLE segment OWNER TO ddc", "ddc owns tables or functions."),
    ],
)
def test_a_role_that_is_too_strong_is_found(change: str, finding: str):
    sql(change.replace("{database}", connection.ops.quote_name(connection.settings_dict["NAME"])))
    found = [message.msg for message in rights.differences(connection)]
    assert any(text.endswith(finding) for text in found), found


@pytest.mark.owner
def test_a_table_of_a_new_migration_can_be_used_at_once():
    sql("CREATE TABLE brand_new (id integer); SET LOCAL ROLE ddc; INSERT INTO brand_new VALUES (1); RESET ROLE")
    assert list(rights.differences(connection)) == []


def test_one_role_for_both_is_a_warning(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "OWNER_DATABASE", settings.DATABASES["default"])
    (message,) = rights.differences(connection)
    assert "could switch off" in message.msg
    assert "MIGRATION_DATABASE_URL" in message.hint


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_old_snapshot_does_not_hide_a_reference(level: str):
    debtor = factories.debtor()
    debtor.contact_points.all().delete()
    with psycopg.connect(processes.environment()["DATABASE_URL"]) as other:
        other.execute(f"SET default_transaction_isolation = '{level}'")
        other.commit()
        other.execute("SELECT count(*) FROM communication_log")
        CommunicationLog.objects.create(debtor=debtor, communication_type="email", status="sent")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="only under READ COMMITTED"):
            other.execute("DELETE FROM debtor WHERE id = %s", [debtor.pk])
