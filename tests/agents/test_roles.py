import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from agents import roles
from agents.models import Agent
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def held(role: str) -> set[str]:
    group = Group.objects.get(name=role)
    return {f"{found.content_type.app_label}.{found.codename}" for found in group.permissions.all()}


def test_every_permission_that_a_role_names_exists() -> None:
    known = set(Permission.objects.values_list("content_type__app_label", "codename"))

    for granted in roles.ROLES.values():
        assert {(app, name) for app, names in granted.items() for name in names} <= known


def test_all_roles_view_everything_but_the_change_log_and_exports_and_an_auditor_also_exports() -> None:
    ours = {
        f"{model._meta.app_label}.view_{model._meta.model_name}"
        for app in roles.APPS
        for model in apps.get_app_config(app).get_models()
    }

    of_auditors = {"audit.view_auditevent", "audit.view_listexport"}
    assert held("Auditor") == ours | {"audit.export_lists"}
    assert held("Agent") > ours - of_auditors
    assert not held("Agent") & (of_auditors | {"audit.export_lists"})
    assert held("Supervisor") > held("Agent")


def test_an_agent_writes_but_neither_deletes_nor_reverses() -> None:
    agent = held("Agent")

    assert {
        "debtors.add_debtor", "collections.change_debt", "payments.add_payment",
        "communications.send_communicationtemplate", "collections.review_deferralrequest",
    } <= agent  # fmt: skip
    assert not {name for name in agent if ".delete_" in name}
    assert not agent & {
        "payments.reverse_payment", "collections.adjust_debt", "collections.close_debt", "collections.add_segment",
        "strategy.add_strategyrule", "strategy.add_strategyrun", "debtors.add_contactpoint",
    }  # fmt: skip


def test_nobody_writes_what_rules_own() -> None:
    for role in roles.ROLES:
        owned = ("ledgerentry", "communicationlog", "digitalactivity", "otpsession", "agent", "apitoken")
        written = {name for name in held(role) if name.endswith(owned) and ".view_" not in name}
        # To write to debtors, to revoke tokens, and to withdraw queued messages.
        by_agent = {"communications.write_communicationlog"}
        by_supervisor = by_agent | {"agents.change_apitoken", "communications.withdraw_communicationlog"}
        assert written == {"Agent": by_agent, "Supervisor": by_supervisor, "Auditor": set()}[role]


@pytest.mark.owner
def test_migrating_again_changes_nothing_and_mends_what_was_changed() -> None:
    before = {role: held(role) for role in roles.ROLES}
    group = Group.objects.get(name="Auditor")
    group.permissions.add(Permission.objects.get(codename="add_debtor"))
    group.permissions.remove(Permission.objects.get(codename="view_debtor"))

    call_command("migrate", verbosity=0)

    assert {role: held(role) for role in roles.ROLES} == before


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(api: Api, supervisor: Agent) -> None:
    assert api.get("/digital-activities").status_code == 200

    supervisor.groups.clear()

    assert api.get("/digital-activities").status_code == 403


def test_permissions_without_a_role_count_too() -> None:
    agent = factories.agent(role=None)
    answer = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD})
    api = Api(answer.json()["access"])
    assert api.get("/digital-activities").status_code == 403

    agent.user_permissions.add(Permission.objects.get(codename="view_digitalactivity"))

    assert api.get("/digital-activities").status_code == 200


def test_a_superuser_may_everything() -> None:
    agent = factories.agent(role="Auditor", is_superuser=True)
    agent.granted = roles.permissions([])

    assert agent.has_perm("payments.delete_payment")
