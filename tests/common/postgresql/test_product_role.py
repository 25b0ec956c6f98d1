"""A plain database role with the product's grants cannot switch a guarantee off, whatever it sets."""

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from communications.models import CommunicationLog, CommunicationTemplateVersion, MessageAttempt
from strategy.models import StrategyRun, StrategyStep
from tests import factories
from tests.deep import processes
from tests.strategy import makers

pytestmark = pytest.mark.django_db

#: Roles belong to the server, whose other databases run the same tests.
ROLE = f"product_{uuid.uuid4().hex[:8]}"
GRANTS = f"""
    CREATE ROLE {ROLE};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
"""
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
def product() -> Iterator[None]:
    """Rows that triggers guard, and then a session of the product's role."""
    rule, debt = makers.rule(), factories.debt()
    message = CommunicationLog.objects.create(
        debt=debt, debtor=debt.debtor, template=rule.template, status="sent", communication_type="email"
    )
    CommunicationTemplateVersion.objects.create(template=rule.template, number=1, language="en", body="x")
    MessageAttempt.objects.create(
        message=message, number=1, began_at=makers.clock(), ended_at=makers.clock(), provider="smtp", result="sent"
    )
    run = StrategyRun.objects.create(status="done", date=makers.TODAY)
    StrategyStep.objects.create(message=message, rule=rule, run=run, debt=debt, occurrence=makers.TODAY)
    sql(f"SET CONSTRAINTS ALL IMMEDIATE; {GRANTS} SET LOCAL ROLE {ROLE}")
    yield
    sql("RESET ROLE")


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
        lambda: "SET LOCAL ddc.guard = off",
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
        assert refused.value.__cause__.sqlstate.startswith("23"), (violation, refused.value)
    before = number("SELECT coalesce(sum(balance), 0) FROM public.open_total")
    sql("UPDATE public.debt SET current_balance = current_balance + 1 WHERE current_status = 'active'")
    changed = number("SELECT count(*) FROM public.debt WHERE current_status = 'active'")
    assert number("SELECT sum(balance) FROM public.open_total") == before + changed > before


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
        "SET allow_system_table_mods = on",
        "SET plpgsql.variable_conflict = use_variable",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_is_append_only",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_entry_is_append_only ON ledger_entry",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "ALTER FUNCTION refuse_change() RESET search_path",
        "CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
        "CREATE SCHEMA first_in_the_path",
        "TRUNCATE ledger_entry CASCADE",
        "UPDATE pg_trigger SET tgenabled = 'D'",
    ],
)
def test_the_role_may_not(statement: str):
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
        sql(statement)


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
