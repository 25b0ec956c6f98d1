import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.timezone import now

from agents import api_tokens, second_factor, sessions, staff
from agents.models import Agent, PasswordLink, StaffSession
from ddc.common.errors import DomainError, Duplicate, Forbidden, Missing
from tests import factories
from tests.agents.second_factors import equip
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def roles_of(agent: Agent) -> list[str]:
    return list(agent.groups.values_list("name", flat=True))


def command(*args: str) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


#: Each change of a colleague's account.
CHANGES: dict[str, Callable[[Agent, Agent | None], Any]] = {
    "amend": lambda agent, by: staff.amend(agent, first_name="X", by=by),
    "change_role": lambda agent, by: staff.change_role(agent, role="Auditor", by=by),
    "deactivate": lambda agent, by: staff.deactivate(agent, by=by),
    "reactivate": lambda agent, by: staff.reactivate(agent, by=by),
    "end_access": lambda agent, by: staff.end_access(agent, by=by),
    "reset_second_factor": lambda agent, by: staff.reset_second_factor(agent, by=by),
    "send_password_link": lambda agent, by: staff.send_password_link(agent, by=by, now=now()),
}


def state() -> list[Any]:
    return [*Agent.objects.order_by("pk").values(), *Agent.groups.through.objects.order_by("pk").values()]


@pytest.mark.parametrize("role", ["Agent", "Auditor", None])
@pytest.mark.parametrize("change", CHANGES)
def test_only_supervisors_manage_staff(change: str, role: str | None):
    factories.agent("Supervisor")
    agent, by = factories.agent("Agent", email="a@example.com"), factories.agent(role)
    before = state()

    with pytest.raises(Forbidden):
        CHANGES[change](agent, by)

    assert state() == before


@pytest.mark.parametrize("change", ["change_role", "deactivate", "reactivate", "reset_second_factor"])
def test_nobody_does_it_to_the_own_account(change: str):
    factories.agent("Supervisor")
    own = factories.agent("Supervisor")
    before = state()

    with pytest.raises(staff.OwnAccount):
        CHANGES[change](own, own)

    assert state() == before


@pytest.mark.parametrize("change", CHANGES)
def test_a_supervisor_cannot_change_a_superuser(change: str):
    superuser = factories.agent("Supervisor", is_superuser=True, email="a@example.com")
    before = state()

    with pytest.raises(Forbidden):
        CHANGES[change](superuser, factories.agent("Supervisor"))

    assert [row for row in state() if row in before] == before


def test_a_supervisor_who_has_just_lost_the_role_changes_nothing():
    by, agent = factories.agent("Supervisor"), factories.agent("Agent")
    stale = Agent.objects.get(pk=by.pk)
    assert stale.has_perm(staff.MANAGE_STAFF)
    factories.agent("Supervisor")
    staff.change_role(by, role="Agent", by=None)

    with pytest.raises(Forbidden):
        staff.deactivate(agent, by=stale)


@pytest.mark.parametrize(
    "change",
    [lambda agent: staff.deactivate(agent, by=None), lambda agent: staff.change_role(agent, role="Agent", by=None)],
)
@pytest.mark.parametrize("other", [None, {"is_active": False}, {"is_staff": False}, {"password": None}])
def test_the_last_active_supervisor_stays(change: Any, other: dict[str, Any] | None):
    last = factories.agent("Supervisor")
    if other is not None:
        factories.agent("Supervisor", **other)
    factories.agent("Agent", is_superuser=True)

    with pytest.raises(staff.LastSupervisor):
        change(last)

    last.refresh_from_db()
    assert (last.is_active, roles_of(last)) == (True, ["Supervisor"])
    factories.agent("Supervisor")
    change(last)


def test_an_invited_agent_has_a_role_no_password_and_a_link(supervisor: Agent):
    agent, token = staff.create(
        username="ann", password=None, email="ann@example.com", role="Agent", by=supervisor, now=now()
    )

    assert (roles_of(agent), agent.is_superuser, agent.is_staff) == (["Agent"], False, True)
    assert token is None
    assert not agent.has_usable_password()
    assert PasswordLink.objects.get().agent == agent


def test_an_agent_without_password_and_address_is_refused(supervisor: Agent):
    with pytest.raises(Missing):
        staff.create(username="ann", password=None, role="Agent", by=supervisor, now=now())
    assert not Agent.objects.filter(username="ann").exists()


def test_an_address_belongs_to_one_account(supervisor: Agent):
    factories.agent(email="Ann@example.com")
    other = factories.agent()
    fields = {"username": "x", "password": None, "role": "Agent", "by": supervisor, "now": now()}

    for change in (
        lambda: staff.create(**fields, email="ANN@example.com"),
        lambda: staff.amend(other, email="ann@EXAMPLE.com", by=supervisor),
    ):
        with pytest.raises(Duplicate) as refusal:
            change()
        assert refusal.value.field == "email"
    assert Agent.objects.filter(email__iexact="ann@example.com").count() == 1


def held(agent: Agent) -> tuple[Client, list[str]]:
    """A browser in which the agent is signed in, and tokens of each kind."""
    browser = Client()
    browser.force_login(agent)
    pair = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).json()
    return browser, [pair["access"], api_tokens.create(agent, now=now())[1]]


def statuses(browser: Client, tokens: list[str]) -> list[int]:
    return [browser.get("/admin/").status_code, *(Api(token).get("/auth/me").status_code for token in tokens)]


@pytest.mark.parametrize("change", ["deactivate", "end_access", "reset_second_factor"])
def test_sessions_and_tokens_of_every_kind_end_at_once_and_stay_ended(supervisor: Agent, change: str):
    agent, bystander = factories.agent("Agent"), factories.agent("Agent")
    mine, others = held(agent), held(bystander)
    assert statuses(*mine) == [200, 200, 200]

    CHANGES[change](agent, supervisor)

    assert statuses(*mine) == [302, 401, 401]
    assert statuses(*others) == [200, 200, 200]
    staff.reactivate(agent, by=supervisor)
    assert statuses(*mine) == [302, 401, 401]
    assert Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).status_code == 200


def test_a_deactivated_agent_cannot_sign_in(supervisor: Agent):
    agent = factories.agent("Agent", email="a@example.com")
    staff.deactivate(agent, by=supervisor)

    assert Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).status_code == 401
    with pytest.raises(staff.Inactive):
        staff.send_password_link(agent, by=supervisor, now=now())


def test_a_role_replaces_all_earlier_ones(supervisor: Agent):
    agent = factories.agent("Agent")
    staff.change_role(agent, role="Auditor", by=supervisor)
    assert roles_of(agent) == ["Auditor"]
    with pytest.raises(staff.UnknownRole):
        staff.change_role(agent, role="Boss", by=supervisor)


def test_a_new_supervisor_has_to_set_up_a_second_factor_before_the_next_page(settings, supervisor: Agent):
    settings.SECOND_FACTOR = "supervisors"
    agent = factories.agent("Agent")
    browser, _ = held(agent)
    assert browser.get("/admin/").status_code == 200

    staff.change_role(agent, role="Supervisor", by=supervisor)

    assert browser.get("/admin/")["Location"].startswith("/admin/login/")
    assert not StaffSession.objects.filter(agent=agent, second_factor=True).exists()


# --- Commands


def test_commands_change_staff():
    factories.agent("Supervisor")
    agent = factories.agent("Agent")
    equip(agent)
    browser, tokens = Client(), [api_tokens.create(agent, now=now())[1]]

    command("change_agent", agent.username, "--role", "Supervisor")
    assert roles_of(agent) == ["Supervisor"]
    command("reset_second_factor", agent.username)
    assert not second_factor.is_set_up(agent)
    command("change_agent", agent.username, "--deactivate")
    agent.refresh_from_db()
    assert not agent.is_active
    assert statuses(browser, tokens)[1:] == [401]
    command("change_agent", agent.username, "--reactivate")
    agent.refresh_from_db()
    assert agent.is_active
    token = api_tokens.create(agent, now=now())[1]
    command("change_agent", agent.username, "--end-access")
    assert Api(token).get("/auth/me").status_code == 401


@pytest.mark.parametrize("change", [("--deactivate",), ("--role", "Agent")])
def test_a_command_keeps_the_last_supervisor(change: tuple[str, ...]):
    last = factories.agent("Supervisor")

    with pytest.raises(CommandError, match="last active Supervisor"):
        command("change_agent", last.username, *change)

    last.refresh_from_db()
    assert (last.is_active, roles_of(last)) == (True, ["Supervisor"])


@pytest.mark.parametrize("name", ["change_agent", "reset_second_factor"])
def test_a_command_refuses_an_unknown_name(name: str):
    with pytest.raises(CommandError, match="There is no user nobody"):
        command(name, "nobody", *(["--deactivate"] if name == "change_agent" else []))


def test_every_refusal_has_words():
    for refusal in (staff.OwnAccount(), staff.LastSupervisor(), staff.Inactive(), second_factor.StillRequired()):
        assert isinstance(refusal, DomainError)
        assert refusal.message != DomainError.message


def test_open_sessions_are_listed_with_browser_and_address(supervisor: Agent):
    windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0"
    sessions.start(supervisor, client_ip="192.0.2.1", user_agent=windows, now=now())

    (session,) = sessions.open_sessions(supervisor, now=now())
    assert (sessions.browser(session.user_agent), session.client_ip) == ("Edge on Windows", "192.0.2.1")
