"""What the triggers record, and what they leave out."""

import re

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from ddc.common.postgresql import recorded, triggers
from ddc.common.postgresql.recorded import Actor, acting
from debtors import contact_points, debtors
from debtors.channels import AddressKind
from debtors.models import ContactPoint, Debtor
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db

#: Tables of the apps ``debtors``, ``contact`` and ``casework`` that are not recorded, each with the reason.
NOT_RECORDED = {
    "contact_decision": "written once, and evidence itself",
    "contact_policy": "about a jurisdiction, and each change is a new version",
    "validation_notice": "about a debt: when its notice was sent",
    "day_figures": "sums of a day, about no person",
    "work_claim": "who works on which item, for ten minutes",
}
SECRET = re.compile("otp|code$|token|secret|password|digest|hash|key")


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def events(table: str = "debtor") -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(table_name=table).order_by("id"))


def test_each_table_with_a_debtors_data_is_recorded_or_left_out_for_a_reason():
    models = [model for app in ("debtors", "contact", "casework") for model in apps.get_app_config(app).get_models()]
    of_other_apps = {"parked_placement", "role_limit", "agency_profile", "deferral_requests", "arrangement"}
    assert {model._meta.db_table for model in models} == (recorded.tables() | NOT_RECORDED.keys()) - of_other_apps
    of_debtors = {
        model._meta.db_table
        for model in models
        if model is Debtor or any(field.related_model is Debtor for field in model._meta.concrete_fields)
    }
    assert of_debtors <= recorded.tables()


def test_each_recorded_table_has_its_three_triggers():
    installed = {(table, name) for table, name in triggers.installed(connection)}
    for table in recorded.tables():
        for operation in ("insert", "update", "delete"):
            assert (table, f"{table}_{operation}_is_recorded") in installed


def test_no_secret_is_recorded():
    for each in triggers.every_list():
        for trigger in each.triggers:
            if trigger.function == "record_changes":
                (model,) = [model for model in apps.get_models() if model._meta.db_table == trigger.table]
                shown = {field.column for field in model._meta.concrete_fields} - set(trigger.arguments[2:])
                assert not {column for column in shown if SECRET.search(column)} - {
                    "postal_code",
                    "country_code",
                    "currency_code",
                    "postcode",
                }


def test_a_new_row_a_changed_one_and_a_deleted_one():
    debtor = factories.debtor(first_name="Ann", email="ann@example.com", dob=None)
    debtors.amend(debtor, today=NOON.date(), first_name="Anna", city="Bath")
    debtors.delete(debtor)

    made, changed, deleted = events()
    assert {event.row_id for event in events()} == {str(debtor.pk)}
    assert {event.person_id for event in events()} == {debtor.pk}
    assert (made.operation, made.before) == ("insert", None)
    assert made.after.items() >= {"first_name": "Ann", "email": "ann@example.com"}.items()
    assert not {"search", "token_version", "updated_at", "dob"} & made.after.keys()
    assert (changed.operation, changed.before, changed.after) == (
        "update",
        {"first_name": "Ann", "city": None},
        {"first_name": "Anna", "city": "Bath"},
    )
    assert (deleted.operation, deleted.after) == ("delete", None)
    assert deleted.before.items() >= {"first_name": "Anna", "city": "Bath"}.items()


def test_a_write_that_changes_nothing_is_not_recorded():
    debtor = factories.debtor()
    debtor.save()
    Debtor.objects.update(city=None)
    sql("UPDATE debtor SET updated_at = now(), token_version = token_version + 1")
    assert [event.operation for event in events()] == ["insert"]


def test_one_statement_records_each_row_that_it_changed():
    people = [factories.debtor(city=city) for city in ("Bath", "Bath", "York")]
    Debtor.objects.update(city="York")
    changed = AuditEvent.objects.filter(operation="update")
    assert {event.person_id for event in changed} == {person.pk for person in people[:2]}
    assert all((event.before, event.after) == ({"city": "Bath"}, {"city": "York"}) for event in changed)


def test_a_changed_key_is_recorded_too():
    factories.debtor(mobile_phone=None)
    ContactPoint.objects.all().delete()
    sql("UPDATE debtor SET id = uuidv7()")
    before, after = [event for event in events() if event.operation == "update"]
    assert before.row_id != after.row_id
    assert {before.before and before.before.get("email"), after.after.get("email")} <= {
        None,
        str(Debtor.objects.get().email),
    }


def test_a_contact_point_that_a_debtors_address_makes_has_no_event_of_its_own():
    debtor = factories.debtor()
    assert ContactPoint.objects.filter(debtor=debtor).count() == 2
    assert events("contact_point") == []
    ContactPoint.objects.create(debtor=debtor, kind=AddressKind.EMAIL, value="other@example.com")
    (event,) = events("contact_point")
    assert event.after["value"] == "other@example.com"


def test_deleting_a_debtor_records_the_contact_points_that_go_and_those_that_stay():
    debtor = factories.debtor(email="gone@example.com")
    factories.suppress("gone@example.com")
    debtors.delete(debtor)
    last = {event.operation: event for event in events("contact_point")}
    assert {event.person_id for event in events("contact_point")} == {debtor.pk}
    assert last["delete"].before["value"] == debtor.mobile_phone
    assert (last["update"].before, last["update"].after) == ({"debtor_id": str(debtor.pk)}, {"debtor_id": None})


def test_sql_without_an_actor_shows_the_databases_user():
    factories.debtor()
    (event,) = events()
    assert (event.actor_kind, event.actor_name, event.source) == ("database", "ddc", "sql")
    assert (event.actor_id, event.request_id) == (None, None)


def test_an_actor_does_not_outlive_its_changes_nor_a_savepoint():
    with acting(Actor("system", "task", name="first")):
        with transaction.atomic():
            factories.debtor()
            transaction.set_rollback(True)
        factories.debtor()
    factories.debtor()
    with acting(Actor("system", "task", name="second")):
        factories.debtor()
    assert [event.actor_name for event in events()] == ["first", "ddc", "second"]


@pytest.mark.django_db(transaction=True)
def test_a_statement_outside_a_transaction_has_its_actor_and_the_next_one_its_own():
    debtor = factories.debtor()
    with acting(Actor("system", "task", name="task")):
        contact_points.verify(debtor, kind=AddressKind.PHONE, value=str(debtor.mobile_phone), now=NOON)
        Debtor.objects.update(city="Bath")
    Debtor.objects.update(city="York")
    with acting(Actor("system", "task", name="task")), transaction.atomic():
        Debtor.objects.update(city="Bath")
    assert [event.actor_name for event in events("contact_point")] == ["task"]
    assert [event.actor_name for event in events()] == ["ddc", "task", "ddc", "task"]


def test_the_actor_costs_one_statement_for_each_transaction_that_changes_such_data(django_assert_num_queries):
    debtor = factories.debtor()
    with acting(Actor("system", "task", name="task")):
        with django_assert_num_queries(2):
            Debtor.objects.update(city="Bath")
        with django_assert_num_queries(1):
            Debtor.objects.update(city="York")
        with django_assert_num_queries(2):
            Debtor.objects.get(pk=debtor.pk)
            factories.segment()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit_event (actor_kind, source, table_name, row_id, operation) VALUES ('agent', 'api', 'x', '1', 'insert')",
        "UPDATE audit_event SET actor_name = 'somebody else'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "ALTER TABLE debtor DISABLE TRIGGER debtor_update_is_recorded",
        "DROP TRIGGER debtor_update_is_recorded ON debtor",
        "CREATE TEMP TABLE debtor (id uuid); CREATE TRIGGER mine AFTER INSERT ON pg_temp.debtor REFERENCING NEW TABLE AS"
        " inserted FOR EACH STATEMENT EXECUTE FUNCTION public.record_changes('id', 'id')",
    ],
)
def test_the_product_cannot_change_or_forge_the_change_log(statement: str):
    factories.debtor()
    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
        sql(statement)
    assert [event.actor_name for event in events()] == ["ddc"]


@pytest.mark.parametrize(
    "settings",
    [
        "CREATE TEMP TABLE audit_event (LIKE public.audit_event); SET LOCAL search_path = pg_temp, public",
        "SET LOCAL search_path = pg_temp",
        "SET CONSTRAINTS ALL DEFERRED",
        "SET LOCAL ddc.audit = off",
    ],
)
def test_no_setting_of_the_product_keeps_a_change_out_of_the_log(settings: str):
    factories.debtor()
    sql(settings)
    sql("UPDATE public.debtor SET city = 'Bath'")
    with connection.cursor() as cursor:
        cursor.execute("SELECT operation FROM public.audit_event WHERE table_name = 'debtor' ORDER BY id")
        assert cursor.fetchall() == [("insert",), ("update",)]


@pytest.mark.owner
@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor_name = 'x'", "DELETE FROM audit_event"])
def test_even_the_owner_is_refused_while_the_trigger_is_there(statement: str):
    factories.debtor()
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        sql(statement)
