"""Every way to write a debtor's data leaves who, by which way, when, before and after."""

import csv
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from communications import tasks
from communications.links import unsubscribe_link
from communications.models import CommunicationLog
from contact.models import ContactPreference
from debtors.models import ContactPoint, Debtor
from portal import otp, tokens
from portal.models import OtpSession
from portal.pages import pages
from tests import factories
from tests.admin.conftest import Browser, address, staff
from tests.communications.callbacks.posting import PUBLIC, SECRET, basic
from tests.conftest import Api
from tests.deep import processes
from tests.portal.conftest import code_of
from tests.standins import twilio as stand_in

pytestmark = pytest.mark.django_db

REQUEST_ID = "request-of-the-test"
PHONE, MAIL = "+447700900123", "jane@example.com"
BODY = {
    "firstName": "Jane",
    "lastName": "Doe",
    "email": "new@example.com",
    "mobilePhone": "+447700900124",
    "countryCode": "GB",
}


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = stand_in.TOKEN, PUBLIC


@pytest.fixture
def debtor() -> Debtor:
    return factories.debtor(email=MAIL, mobile_phone=PHONE)


def found(**filters: Any) -> list[AuditEvent]:
    """The events since the rows of the test were made, which are those with an actor."""
    return list(AuditEvent.objects.filter(**filters).exclude(actor_kind="database").order_by("id"))


def who(event: AuditEvent) -> tuple[str, object, str | None, str]:
    return event.actor_kind, event.actor_id, event.actor_name, event.source


# --- The API


def test_api_creates_amends_and_deletes_a_debtor():
    agent = factories.agent()
    api = Api(Api().post("/auth/token", {"username": agent.username, "password": factories.PASSWORD}).json()["access"])
    made = api.post("/debtors", BODY, **{"X-Request-ID": REQUEST_ID}).json()["id"]
    assert api.put(f"/debtors/{made}", {"city": "Bath", "firstName": "Jane"}).status_code == 200
    assert api.delete(f"/debtors/{made}").status_code == 204

    inserted, updated, deleted = found(table_name="debtor")
    assert {who(event) for event in found()} == {("agent", agent.pk, agent.username, "api")}
    assert {str(event.person_id) for event in found()} == {made}
    assert (inserted.request_id, inserted.after["email"]) == (REQUEST_ID, "new@example.com")
    assert (updated.before, updated.after) == ({"city": None}, {"city": "Bath"})
    assert (deleted.operation, deleted.before["city"]) == ("delete", "Bath")
    assert [event.operation for event in found(table_name="contact_point")] == ["delete", "delete"]
    assert all(event.request_id for event in found())


def test_what_the_api_refuses_is_not_recorded(debtor: Debtor):
    api = Api(
        Api()
        .post("/auth/token", {"username": factories.agent(username="a").username, "password": factories.PASSWORD})
        .json()["access"]
    )
    assert api.put(f"/debtors/{debtor.pk}", {"dob": "2999-01-01"}).status_code == 422
    assert api.post("/debtors", BODY | {"email": MAIL}).status_code == 422
    assert found() == []


@pytest.mark.parametrize("way", ["api", "portal"])
def test_a_debtor_who_signs_in_by_a_code_verifies_the_phone(debtor: Debtor, way: str):
    otp.request(PHONE, client_ip="192.0.2.1", now=timezone.now())
    otp.answer(clock=timezone.now)
    code = code_of(OtpSession.objects.get())
    if way == "api":
        assert Api().post("/debtors/auth/verify-otp", {"mobilePhone": PHONE, "otpCode": code}).status_code == 200
    else:
        browser = Client()
        browser.post("/portal/request-code", {"mobile_phone": PHONE})
        otp.answer(clock=timezone.now)
        code = code_of(OtpSession.objects.first())
        assert browser.post("/portal/code", {"otp_code": code}).status_code == 302
    (event,) = found(table_name="contact_point")
    assert who(event) == ("debtor", debtor.pk, None, way)
    assert (event.person_id, event.before) == (debtor.pk, {"verified_at": None})
    assert code not in str(event.after)


@pytest.mark.parametrize("way", ["api", "portal"])
def test_a_change_by_a_signed_in_debtor_names_the_debtor(debtor: Debtor, way: str, monkeypatch: pytest.MonkeyPatch):
    """No page of the portal changes personal data yet, so a domain function that the request calls does it here."""
    token, _ = tokens.issue(debtor, now=timezone.now())
    debt = factories.debt(debtor=debtor)
    from collection import deferrals

    ask = deferrals.request

    def ask_and_write(*args: Any, **kwargs: Any) -> Any:
        Debtor.objects.filter(pk=debtor.pk).update(city="Bath")
        return ask(*args, **kwargs)

    monkeypatch.setattr(deferrals, "request", ask_and_write)
    if way == "api":
        asked = {"debtId": str(debt.pk), "requestedDeferralDays": 30, "reason": "I have lost my job this month."}
        assert Api(token).post("/debtors/me/deferral-requests", asked).status_code == 201
    else:
        browser = Client()
        browser.cookies[pages.TOKEN_COOKIE] = tokens.issue_for_pages(debtor, now=timezone.now())
        fields = {"time": "30", "why": "work"}
        assert browser.post(f"/portal/debts/{debt.pk}/more-time", fields).status_code == 302
    (event,) = found(table_name="debtor")
    assert (who(event), event.after) == (("debtor", debtor.pk, None, way), {"city": "Bath"})


# --- The back office


def test_forms_and_actions_of_the_back_office(debtor: Debtor):
    desk = Browser(staff("Supervisor"))
    page = address(Debtor, "change", debtor.pk)
    form = desk.get(page).context["adminform"].form
    fields = {name: form.initial.get(name) or "" for name in form.fields} | {"city": "Bath"}
    assert desk.post(page, fields).status_code == 302
    assert (
        desk.post(
            address(Debtor, "add"), {"first_name": "New", "last_name": "One", "email": "one@example.com"}
        ).status_code
        == 302
    )
    desk.act("delete_selected", Debtor.objects.filter(email="one@example.com"), post="yes")
    suppression = {"value": MAIL, "channel": "email", "reason": "opted_out", "source": "A call"}
    assert desk.post(address(ContactPoint, "add"), suppression).status_code == 302
    wish = {"debtor": debtor.pk, "statement": "Not at work", "no_contact": "on", "channels": ["voice"]}
    assert desk.post(address(ContactPreference, "add"), wish).status_code == 302

    assert {who(event) for event in found()} == {("agent", desk.agent.pk, desk.agent.username, "admin")}
    assert [event.operation for event in found(table_name="debtor")] == ["update", "insert", "delete"]
    assert found(table_name="debtor")[0].after == {"city": "Bath"}
    suppressed = found(table_name="contact_point", operation="update")[-1]
    assert suppressed.person_id == debtor.pk
    assert suppressed.after["opted_out_source"] == "A call (Ann)"
    (preference,) = found(table_name="contact_preference")
    assert (preference.person_id, preference.after["statement"]) == (debtor.pk, "Not at work")


# --- Callbacks, links and tasks


def test_stop_by_sms_is_recorded_by_the_task_with_the_callbacks_request(debtor: Debtor):
    fields = {
        "MessageSid": "SM1",
        "SmsSid": "SM1",
        "From": PHONE,
        "To": stand_in.NUMBER,
        "Body": "STOP",
        "AccountSid": stand_in.ACCOUNT,
    }
    signature = stand_in.signature(f"{PUBLIC}/callbacks/twilio/inbound", fields)
    headers = {"X-Twilio-Signature": signature, "X-Request-ID": REQUEST_ID}
    assert Client().post("/callbacks/twilio/inbound", fields, headers=headers).status_code in (200, 204)
    assert found() == []
    tasks.process_inbox.apply()
    (event,) = found(table_name="contact_point")
    assert who(event) == ("system", None, "communications.tasks.process_inbox", "task")
    assert event.request_id == REQUEST_ID
    assert event.person_id == debtor.pk
    assert event.before["opted_out_at"] is None
    assert event.after["messages_suppressed"] is True


def test_a_bounce_is_recorded(debtor: Debtor):
    CommunicationLog.objects.create(
        debtor=debtor,
        communication_type="email",
        status="sent",
        provider="postmark",
        provider_message_id="id-1",
        address=MAIL,
    )
    report = {
        "RecordType": "Bounce", "ID": 1, "Type": "HardBounce", "MessageID": "id-1", "Email": MAIL, "Recipient": MAIL,
        "BouncedAt": "2026-01-14T12:00:05Z", "Details": "550",
    }  # fmt: skip
    answer = Client().post(
        "/callbacks/email/postmark/tracking", report, content_type="application/json", headers=basic()
    )
    assert answer.status_code == 200
    tasks.process_inbox.apply()
    assert {who(event) for event in found()} == {("system", None, "communications.tasks.process_inbox", "task")}
    assert {"bounces", "bounced_at"} <= {name for event in found(table_name="contact_point") for name in event.after}


def test_an_unsubscribe_link_is_recorded_without_a_name(debtor: Debtor):
    message = CommunicationLog.objects.create(debtor=debtor, communication_type="email", status="sent", address=MAIL)
    token = unsubscribe_link.url(message.pk).split("/")[-1]
    assert Client().post(f"/unsubscribe/{token}").status_code == 200
    (event,) = found()
    assert who(event) == ("anonymous", None, None, "api")
    assert (event.person_id, event.after["opted_out_source"]) == (debtor.pk, "Unsubscribe link in a mail")


def test_a_task_leaves_no_actor_behind(debtor: Debtor):
    tasks.process_inbox.apply()
    Debtor.objects.update(city="Bath")
    assert found() == []


# --- Commands and SQL


@pytest.mark.django_db(transaction=True)
def test_an_import_is_recorded(tmp_path: Path):
    file = tmp_path / "placements.csv"
    row = {
        "email": "a@example.com",
        "firstName": "A",
        "lastName": "B",
        "originalCreditor": "Bank",
        "currencyCode": "GBP",
        "originalBalance": "5",
    }
    with file.open("w") as opened:
        writer = csv.DictWriter(opened, row)
        writer.writeheader()
        writer.writerow(row)
    with processes.start("manage.py", "import_placements", str(file), stdout=subprocess.PIPE) as command:
        command.communicate()
    assert command.returncode == 0
    (event,) = found()
    assert (event.actor_kind, event.source, event.after["email"]) == ("system", "command", "a@example.com")
    assert event.actor_name.startswith("import_placements (")


def test_sql_by_hand_shows_the_databases_user(debtor: Debtor):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE debtor SET city = 'Bath'")
    event = AuditEvent.objects.filter(operation="update").get()
    assert (event.actor_kind, event.actor_name, event.source, event.after) == (
        "database",
        "ddc",
        "sql",
        {"city": "Bath"},
    )
