import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import get_resolver
from django.utils.timezone import now
from django_otp.plugins.otp_totp.models import TOTPDevice

from agents import passwords, second_factor
from agents.admin import pending
from agents.models import Agent, PasswordLink, StaffSession
from agents.tasks import delete_expired_sessions, delete_old_attempts
from tests import factories
from tests.access.test_access import admin_routes
from tests.agents.second_factors import App, equip
from tests.conftest import Api
from tests.test_architecture import routes

pytestmark = pytest.mark.django_db

NEW = "another correct horse battery"


@pytest.fixture(autouse=True)
def required(settings):
    settings.SECOND_FACTOR = "supervisors"


@pytest.fixture
def browser() -> Client:
    return Client()


def enter_password(
    browser: Client, agent: Agent, password: str = factories.PASSWORD, path: str = "/admin/login/"
) -> Any:
    return browser.post(path, {"username": agent.username, "password": password})


def enter_code(browser: Client, code: str) -> Any:
    return browser.post("/admin/login/code/", {"code": code})


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


def key_on(page: Any) -> str:
    """The secret on a set-up page, as hexadecimal."""
    import base64

    found = re.search(r'<code class="typed-key">([A-Z2-7 ]+)</code>', page.content.decode())
    assert found
    return base64.b32decode(found[1].replace(" ", "")).hex()


def signed_in(role: str = "Agent") -> tuple[Client, Agent, App, list[str]]:
    """A browser after a sign-in with a second factor."""
    agent, browser = factories.agent(role), Client()
    app, codes = equip(agent)
    enter_password(browser, agent)
    assert enter_code(browser, codes.pop()).status_code == 302
    return browser, agent, app, codes


def admin_paths() -> list[str]:
    """Every path below /admin/."""
    found = {route for route, _ in routes(get_resolver().url_patterns) if route.startswith("admin/")}
    found |= {route for route, _ in admin_routes()}
    found = {re.sub(r"<uuid:[^>]+>", str(UUID(int=1)), route) for route in found}
    return sorted("/" + re.sub(r"<[^>]+>|\(\?P<url>\.\*\)\$", "1", route) for route in found)


def test_an_agent_without_a_second_factor_signs_in_by_password(browser: Client):
    agent = factories.agent("Agent")

    assert enter_password(browser, agent)["Location"] == "/admin/"
    assert is_in(browser)


@pytest.mark.parametrize("has_device", [True, False])
def test_between_password_and_second_factor_no_page_of_the_back_office_opens(browser: Client, has_device: bool):
    agent = factories.agent("Supervisor", is_superuser=True)
    if has_device:
        equip(agent)
    own = "/admin/login/code/" if has_device else "/admin/login/set-up/"
    assert enter_password(browser, agent)["Location"] == own

    opened = []
    for path in admin_paths():
        for ask in (browser.get, browser.post):
            answer = ask(path)
            if answer.status_code == 302 and "/admin/login/" in answer["Location"]:
                continue
            opened.append((path, answer.status_code))
    # Signing out leads to the front page, which leads to the sign-in.
    public = {own, "/admin/login/", "/admin/logout/", "/admin/password/", "/admin/password/1/1/"}
    assert {path for path, _ in opened} == public
    assert not StaffSession.objects.exists()
    assert len(admin_paths()) > 200


def test_a_supervisor_is_led_to_the_set_up_and_then_signed_in(browser: Client):
    agent = factories.agent("Supervisor")
    path = "/admin/login/?next=/admin/account/"
    assert enter_password(browser, agent, path=path)["Location"] == "/admin/login/set-up/"
    app = App(key_on(browser.get("/admin/login/set-up/")))
    assert App(key_on(browser.get("/admin/login/set-up/"))).key == app.key, "a reload shows the same code"

    wrong = browser.post("/admin/login/set-up/", {"new_code": app.wrong()})
    assert "The code is wrong" in wrong.content.decode()
    assert not TOTPDevice.objects.exists()
    page = browser.post("/admin/login/set-up/", {"new_code": app.code()})

    codes = re.findall(r"<code>([a-z2-7 ]{19})</code>", page.content.decode())
    assert len(codes) == 10
    assert 'href="/admin/account/"' in page.content.decode()
    assert is_in(browser)
    second_factor.verify(agent, codes[0], now=now())


def test_the_secret_of_an_earlier_session_is_not_used_again(browser: Client):
    agent = factories.agent("Supervisor")
    keys = []
    for some in (browser, Client()):
        enter_password(some, agent)
        keys.append(key_on(some.get("/admin/login/set-up/")))

    assert keys[0] != keys[1]


def test_a_code_signs_in_once_and_a_recovery_code_warns(browser: Client):
    agent = factories.agent("Supervisor")
    app, codes = equip(agent)
    code = app.code()
    enter_password(browser, agent)
    assert enter_code(browser, code)["Location"] == "/admin/"
    assert is_in(browser)

    other = Client()
    enter_password(other, agent)
    assert enter_code(other, code).status_code == 200
    assert not is_in(other)
    answer = other.post("/admin/login/code/", {"code": codes[0]}, follow=True)
    assert "9 of 10 are left" in answer.content.decode()
    assert is_in(other)


def test_after_five_wrong_codes_the_password_is_asked_for_and_the_pause_stays(browser: Client):
    agent = factories.agent("Supervisor")
    app, _ = equip(agent)
    enter_password(browser, agent)

    answers = [enter_code(browser, app.wrong()) for _ in range(pending.MAX_TRIES)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 302]
    assert enter_code(browser, app.code())["Location"] == "/admin/login/"
    enter_password(browser, agent)
    paused = enter_code(browser, app.code())
    assert (paused.status_code, 0 < int(paused["Retry-After"]) <= 30) == (429, True)
    assert not is_in(browser)


@pytest.mark.parametrize("change", ["late", "password", "inactive"])
def test_a_pending_sign_in_ends(browser: Client, change: str):
    agent = factories.agent("Supervisor")
    app, _ = equip(agent)
    enter_password(browser, agent)
    moment = now()
    if change == "late":
        moment += pending.LIFETIME + timedelta(seconds=1)
    elif change == "password":
        agent.set_password(NEW)
        agent.save()
    else:
        Agent.objects.filter(pk=agent.pk).update(is_active=False)

    with time_machine.travel(moment):
        assert enter_code(browser, app.code())["Location"] == "/admin/login/"
    assert not StaffSession.objects.exists()


def test_another_page_than_ours_is_not_shown_after_the_sign_in(browser: Client):
    agent = factories.agent("Supervisor")
    app, _ = equip(agent)
    enter_password(browser, agent, path="/admin/login/?next=https://evil.example/")

    assert enter_code(browser, app.code())["Location"] == "/admin/"


def test_the_setting_asks_everyone(settings, browser: Client):
    settings.SECOND_FACTOR = "all"
    assert enter_password(browser, factories.agent("Auditor"))["Location"] == "/admin/login/set-up/"


def test_the_demo_offers_a_second_factor_without_forcing_it(settings, browser: Client):
    settings.SECOND_FACTOR = "optional"
    agent = factories.agent("Supervisor")
    enter_password(browser, agent)
    assert is_in(browser)
    app = App(key_on(browser.get("/admin/account/second-factor/")))
    browser.post("/admin/account/second-factor/", {"new_code": app.code(), "password": factories.PASSWORD})

    assert second_factor.is_set_up(agent)
    assert is_in(browser)
    assert enter_password(Client(), agent)["Location"] == "/admin/login/code/"


# --- The own account


@pytest.mark.parametrize("wrong", ["password", "code", "new_code"])
def test_another_app_needs_the_password_and_a_code_of_the_present_one(wrong: str):
    browser, agent, app, _ = signed_in()
    fresh = App(key_on(browser.get("/admin/account/second-factor/")))
    fields = {"password": factories.PASSWORD, "code": app.code(), "new_code": fresh.code()}
    bad = {"password": "wrong", "code": app.wrong(), "new_code": fresh.wrong()}

    browser.post("/admin/account/second-factor/", fields | {wrong: bad[wrong]})
    assert TOTPDevice.objects.get().key == app.key

    page = browser.post("/admin/account/second-factor/", fields)
    assert TOTPDevice.objects.get().key == fresh.key
    assert "Your recovery codes" in page.content.decode()
    assert LogEntry.objects.get(user=agent).change_message == "Replaced the second factor."


@pytest.mark.parametrize("page", ["recovery-codes", "second-factor/remove"])
@pytest.mark.parametrize("wrong", ["password", "code"])
def test_recovery_codes_and_removal_need_password_and_code(page: str, wrong: str):
    browser, agent, app, codes = signed_in()
    fields = {"password": factories.PASSWORD, "code": app.code()}

    browser.post(f"/admin/account/{page}/", fields | {wrong: "wrong"})
    assert second_factor.status(agent).recovery_codes == 9
    assert second_factor.is_set_up(agent)

    browser.post(f"/admin/account/{page}/", fields)
    assert second_factor.is_set_up(agent) == (page == "recovery-codes")
    assert LogEntry.objects.filter(user=agent).count() == 1
    if page == "recovery-codes":
        with pytest.raises(second_factor.WrongCode):
            second_factor.verify(agent, codes[0], now=now())


def test_a_supervisor_replaces_but_does_not_remove(browser: Client):
    browser, agent, app, _ = signed_in("Supervisor")
    assert "second-factor/remove" not in browser.get("/admin/account/").content.decode()

    answer = browser.post("/admin/account/second-factor/remove/", {"password": factories.PASSWORD, "code": app.code()})

    assert "Your role needs a second factor" in answer.content.decode()
    assert second_factor.is_set_up(agent)


def test_wrong_passwords_on_the_own_pages_lock_the_password_out():
    browser, _, app, _ = signed_in()
    answers = [
        browser.post("/admin/account/recovery-codes/", {"password": "wrong", "code": app.code()}).status_code
        for _ in range(11)
    ]
    assert answers[-1] == 429


def test_other_sessions_end_with_a_new_second_factor_and_this_one_stays():
    agent = factories.agent("Agent")
    here, there = Client(), Client()
    for some in (here, there):
        enter_password(some, agent)
    pair = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).json()
    app = App(key_on(here.get("/admin/account/second-factor/")))

    here.post("/admin/account/second-factor/", {"new_code": app.code(), "password": factories.PASSWORD})

    assert [is_in(here), is_in(there)] == [True, False]
    assert Api(pair["access"]).get("/auth/me").status_code == 401


def test_sessions_are_listed_and_end_one_by_one_or_all_at_once():
    agent, other = factories.agent("Agent"), factories.agent("Agent")
    browsers = [
        Client(headers={"User-Agent": f"Mozilla/5.0 (X11; Linux) {name}/1"}) for name in ("Firefox", "Chrome", "Safari")
    ]
    for some in browsers:
        enter_password(some, agent)
    stranger = Client()
    enter_password(stranger, other)
    first, second, third = browsers
    page = first.get("/admin/account/").content.decode()
    assert all(f"{name} on Linux" in page for name in ("Firefox", "Chrome", "Safari"))
    assert page.count("this browser") == 1
    row = StaffSession.objects.get(user_agent__contains="Chrome")

    stranger.post(f"/admin/account/sessions/{row.pk}/end/")
    assert is_in(second)
    first.post(f"/admin/account/sessions/{row.pk}/end/")
    assert [is_in(some) for some in browsers] == [True, False, True]

    pair = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).json()
    third.post("/admin/account/sessions/end/")
    assert [is_in(some) for some in (*browsers, stranger)] == [False, False, False, True]
    assert Api(pair["access"]).get("/auth/me").status_code == 401


def test_a_session_ends_after_eight_idle_hours_and_after_twelve_in_all(browser: Client):
    agent = factories.agent("Agent")
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        enter_password(browser, agent)
        for hours, alive in ((7.9, True), (11.9, True), (12.01, False)):
            clock.move_to(start + timedelta(hours=hours))
            assert is_in(browser) is alive, hours
        idle = Client()
        enter_password(idle, agent)
        clock.shift(timedelta(hours=8, seconds=1))
        assert not is_in(idle)
        assert browser.session.get("_auth_user_id") is None


def test_a_sign_out_deletes_the_session(browser: Client):
    enter_password(browser, factories.agent("Agent"))
    cookie = browser.cookies["sessionid"].value
    browser.post("/admin/logout/")

    assert not StaffSession.objects.exists()
    thief = Client()
    thief.cookies["sessionid"] = cookie
    assert not is_in(thief)


def test_expired_sessions_and_old_links_are_deleted_and_open_ones_stay(browser: Client):
    with time_machine.travel(now() - timedelta(days=2)):
        enter_password(Client(), factories.agent("Agent"))
        ask(Client(), "old@example.com")
    enter_password(browser, factories.agent("Agent"))
    ask(browser, "new@example.com")

    delete_expired_sessions()
    delete_old_attempts()

    assert StaffSession.objects.count() == 1
    assert Session.objects.filter(expire_date__lt=now()).count() == 0
    assert [link.email for link in PasswordLink.objects.all()] == ["new@example.com"]
    assert is_in(browser)


# --- Passwords


def test_a_new_password_ends_the_other_sessions_and_the_tokens():
    agent = factories.agent("Agent")
    here, there = Client(), Client()
    for some in (here, there):
        enter_password(some, agent)
    pair = Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).json()
    fields = {"old_password": factories.PASSWORD, "new_password1": NEW, "new_password2": NEW}

    for wrong in ({"old_password": "wrong"}, {"new_password1": "12345678", "new_password2": "12345678"}):
        assert here.post("/admin/password_change/", fields | wrong).status_code == 200
    assert is_in(there)
    assert here.post("/admin/password_change/", fields).status_code == 302

    assert [is_in(here), is_in(there)] == [True, False]
    assert Api(pair["access"]).get("/auth/me").status_code == 401
    agent.refresh_from_db()
    assert agent.check_password(NEW)
    assert LogEntry.objects.get(user=agent).change_message == "Changed the password."


def ask(browser: Client, email: str, **more: Any) -> Any:
    return browser.post("/admin/password/", {"email": email}, follow=True, **more)


def links() -> list[str]:
    passwords.send_links(now=now())
    return [re.findall(r"http://[^/]+/(\S+)", str(message.body))[0] for message in mail.outbox]


def test_known_and_unknown_addresses_get_the_same_answer_and_only_a_known_one_a_mail(browser: Client):
    factories.agent("Agent", email="ann@example.com", username="ann")
    factories.agent("Agent", email="gone@example.com", is_active=False)
    pages = [
        ask(Client(), email).content.decode() for email in ("ann@example.com", "x@example.com", "gone@example.com")
    ]

    bare = [re.sub(r'value="[^"]{64}"', "", page) for page in pages]
    assert bare[0] == bare[1] == bare[2]
    assert not mail.outbox, "a page sends nothing by itself, so that all take the same time"
    assert passwords.send_links(now=now()) == 3
    (message,) = mail.outbox
    assert message.to == ["ann@example.com"]
    assert '"ann"' in message.body
    assert passwords.send_links(now=now()) == 0


def test_a_link_sets_a_password_once_and_the_second_factor_stays(browser: Client):
    there, agent, _, _ = signed_in("Supervisor")
    Agent.objects.filter(pk=agent.pk).update(email="ann@example.com")
    ask(browser, "ANN@example.com")
    (link,) = links()
    form = browser.get(f"/{link}", follow=True)
    assert link.split("/")[-2] not in form.redirect_chain[-1][0], "the address of the form has no token"
    where = form.redirect_chain[-1][0]

    weak = browser.post(where, {"new_password1": "password", "new_password2": "password"})
    assert weak.status_code == 200
    assert browser.post(where, {"new_password1": NEW, "new_password2": NEW})["Location"] == "/admin/login/"

    assert not is_in(browser), "a link does not sign in"
    assert not is_in(there)
    assert enter_password(browser, agent, NEW)["Location"] == "/admin/login/code/"
    assert "does not work any more" in Client().get(f"/{link}", follow=True).content.decode()


@pytest.mark.parametrize("change", ["late", "inactive"])
def test_a_link_ends(browser: Client, change: str):
    agent = factories.agent("Agent", email="ann@example.com")
    ask(browser, agent.email)
    (link,) = links()
    moment = now()
    if change == "late":
        moment += timedelta(hours=24, seconds=1)
    else:
        Agent.objects.filter(pk=agent.pk).update(is_active=False)

    with time_machine.travel(moment):
        assert "does not work any more" in browser.get(f"/{link}", follow=True).content.decode()


def test_requests_are_limited_per_address_of_mail_and_per_client(browser: Client):
    for _ in range(3):
        assert ask(browser, "ann@example.com").status_code == 200
    limited = ask(browser, "Ann@Example.com", REMOTE_ADDR="192.0.2.9")
    assert limited.status_code == 429
    assert int(limited["Retry-After"]) > 3000
    for number in range(7):
        assert ask(browser, f"x{number}@example.com").status_code == 200
    assert ask(browser, "y@example.com").status_code == 429
    assert ask(browser, "y@example.com", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_an_invitation_goes_by_mail_and_sets_the_first_password(browser: Client):
    supervisor, *_ = signed_in("Supervisor")
    supervisor.post(
        "/admin/agents/agent/add/",
        {"username": "bob", "first_name": "Bob", "last_name": "New", "email": "bob@example.com", "role": "Agent"},
    )
    (link,) = links()
    where = browser.get(f"/{link}", follow=True).redirect_chain[-1][0]
    browser.post(where, {"new_password1": NEW, "new_password2": NEW})

    enter_password(browser, Agent.objects.get(username="bob"), NEW)
    assert is_in(browser)


def test_a_mail_that_fails_is_tried_again_five_times(settings):
    factories.agent("Agent", email="ann@example.com")
    ask(Client(), "ann@example.com")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    for _ in range(7):
        passwords.send_links(now=now())
    waiting = PasswordLink.objects.get()
    assert (waiting.attempts, waiting.handled_at) == (5, None)


# --- Staff


def test_the_back_office_offers_no_flag_of_a_superuser():
    browser, _, _, _ = signed_in("Supervisor")
    agent = factories.agent("Agent")
    fields = {"first_name": "New", "last_name": "", "email": "", "is_superuser": "on", "is_staff": "", "groups": "2"}

    browser.post(f"/admin/agents/agent/{agent.pk}/change/", fields | {"user_permissions": "1", "username": "other"})

    before = (agent.username, [group.name for group in agent.groups.all()])
    agent.refresh_from_db()
    assert (agent.first_name, agent.is_superuser, agent.is_staff) == ("New", False, True)
    assert (agent.username, [group.name for group in agent.groups.all()]) == before
    assert not agent.user_permissions.exists()


def test_changes_by_a_supervisor_are_in_the_history():
    browser, _, _, _ = signed_in("Supervisor")
    agent = factories.agent("Agent")

    browser.post(f"/admin/agents/agent/{agent.pk}/change_role/", {"role": "Auditor"})
    browser.post(f"/admin/agents/agent/{agent.pk}/deactivate/", {"csrfmiddlewaretoken": "x"})

    messages = LogEntry.objects.filter(object_id=str(agent.pk)).order_by("pk").values_list("change_message", flat=True)
    assert list(messages) == ["Change role: Auditor", "Deactivate"]


def test_a_refusal_is_shown_on_the_page():
    browser, supervisor, _, _ = signed_in("Supervisor")
    page = browser.get(f"/admin/agents/agent/{supervisor.pk}/change/").content.decode()
    for name in ("change_role", "deactivate", "reset_second_factor"):
        assert f"/{name}/" not in page
        assert browser.post(f"/admin/agents/agent/{supervisor.pk}/{name}/", {"role": "Agent"}).status_code == 403
    assert supervisor.groups.get().name == "Supervisor"


def test_secrets_of_second_factors_are_in_no_page():
    assert TOTPDevice not in site._registry
