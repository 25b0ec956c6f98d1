"""The agency's values: those of the back office win over those of the environment, everywhere and within seconds."""

import base64
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from PIL import Image

from agency import colours, profile
from agency.models import AgencyProfile
from agents import passwords, second_factor
from audit.models import AuditEvent
from communications.channels import spoken
from communications.texts import facts, limits, required_lines
from ddc.celery import app
from ddc.common.days import agency_zone
from tests import factories
from tests.admin.conftest import Browser, address, errors

pytestmark = pytest.mark.django_db

SET = {
    "name": "Harbour Recoveries",
    "address": "2 Quay Street, Leeds",
    "phone": "+44 113 496 0000",
    "email": "help@harbour.example",
    "time_zone": "Asia/Tokyo",
    "colour": "#0b5a8a",
}


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300)) -> bytes:
    stored = io.BytesIO()
    Image.new("RGB", size, "navy").save(stored, kind)
    return stored.getvalue()


def uploaded(content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = "logo.png"
    return file


def page() -> str:
    return address(AgencyProfile, "change", 1)


def save(browser: Browser, **values: Any) -> Any:
    return browser.client.post(page(), dict.fromkeys(SET, "") | values)


def test_what_the_back_office_sets_wins_and_an_emptied_field_brings_the_environment_back(supervisor_at_desk: Browser):
    before = profile.current()

    assert save(supervisor_at_desk, **SET).status_code == 302
    agency = profile.current()
    assert {name: getattr(agency, name) for name in SET} == SET

    save(supervisor_at_desk)
    assert profile.current() == before


def test_texts_pages_and_times_use_it(supervisor_at_desk: Browser, client: Client):
    save(supervisor_at_desk, **SET)

    (values,) = facts.gather([facts.Recipient(None, None, "en")], now=now())
    assert values["agency_name"] == "Harbour Recoveries"
    assert values["agency_address"] == "2 Quay Street, Leeds"
    assert limits.long_values()["agency_phone"] == "+44 113 496 0000"
    assert "{{agency_name}}" not in required_lines.add("Harbour Recoveries asks …", channel="sms", language="en")
    assert "{{agency_name}}" in required_lines.add("DDC asks …", channel="sms", language="en")
    assert agency_zone().key == "Asia/Tokyo"
    assert str(app.conf.beat_schedule["daily"]["schedule"].tz) == "Asia/Tokyo"
    assert "Harbour Recoveries" in passwords.mail(factories.agent(), is_invitation=True).body
    assert "Harbour%20Recoveries" in second_factor.app_link(factories.agent(), "00" * 20)
    portal = client.get("/portal").content.decode()
    assert "Harbour Recoveries, 2 Quay Street, Leeds" in portal
    assert '<link rel="stylesheet" href="/agency/colours/0b5a8a.css">' in portal
    desk = supervisor_at_desk.get("/admin/").content.decode()
    assert "Harbour Recoveries" in desk
    assert "/agency/colours/0b5a8a.css" in desk
    assert "Harbour Recoveries" in client.get("/portal/nope").content.decode()


def test_a_voicemail_gives_the_phone_that_the_back_office_set(settings: Any):
    settings.VOICEMAIL_NAME, settings.VOICEMAIL_PERSON, settings.AGENCY_PHONE = "Harbour", "Kim", ""
    assert not spoken.may_leave_voicemail()
    profile.change({"phone": "+44 113 496 0000"})
    assert spoken.may_leave_voicemail()


def test_a_request_asks_for_the_row_once_in_some_seconds(client: Client):
    profile.forget()
    with CaptureQueriesContext(connection) as made:
        client.get("/portal")
        client.get("/portal")
    assert len([query for query in made.captured_queries if "agency_profile" in query["sql"]]) == 1


def test_a_change_of_another_process_is_seen_when_the_seconds_are_over():
    profile.forget()
    profile.current()
    AgencyProfile.objects.create(name="Elsewhere")
    assert profile.current().name != "Elsewhere"

    profile.remember({}, seconds=-1)
    assert profile.current().name == "Elsewhere"
    assert profile.current(without_query=True).name == "Elsewhere"


def test_each_change_is_recorded_with_its_actor(supervisor_at_desk: Browser):
    save(supervisor_at_desk, **SET, new_logo=uploaded(picture()))
    save(supervisor_at_desk, **SET | {"name": "Harbour"})

    newest, first = AuditEvent.objects.filter(table_name="agency_profile")[:2]
    assert (first.operation, first.actor_id, first.source) == ("insert", supervisor_at_desk.agent.pk, "admin")
    assert "logo" not in first.after
    assert first.after["logo_version"]
    assert (newest.before, newest.after) == ({"name": "Harbour Recoveries"}, {"name": "Harbour"})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("colour", "#ffcc00", "too light"),
        ("colour", "red", "Enter a colour such as #0b5a8a."),
        ("colour", "#0b5a8a;}", "at most 7 characters"),
        ("phone", "hello", "not a valid phone number"),
        ("time_zone", "Mars/Base", "not one of the available choices"),
        ("email", "nobody", "valid email address"),
        ("name", "Two\nLines", "on one line"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(supervisor_at_desk: Browser, field: str, value: str, said: str):
    answer = save(supervisor_at_desk, **{field: value})
    assert said in errors(answer)[field][0]
    assert not AgencyProfile.objects.exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_stored_as_a_small_png_and_served_to_everyone(supervisor_at_desk: Browser, client: Client, kind: str):
    save(supervisor_at_desk, new_logo=uploaded(picture(kind) + b"<script>alert(1)</script>"))

    url = profile.current().logo_url
    answer = client.get(url)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"<script>" not in answer.content
    assert Image.open(io.BytesIO(answer.content)).size == (240, 120)
    assert url in client.get("/portal").content.decode()

    save(supervisor_at_desk, remove_logo="on")
    assert client.get(url).status_code == 404
    assert profile.current().logo_url == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no readable image"),
        (picture()[:200], "no readable image"),
        (base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"), "no readable image"),
        (b"x" * 600_000, "at most 500 KB"),
        (picture(size=(5_000, 10)), "too large"),
    ],
    ids=["svg", "cut off", "gif", "long", "wide"],
)
def test_what_is_no_small_raster_image_is_no_logo(supervisor_at_desk: Browser, content: bytes, said: str):
    answer = save(supervisor_at_desk, new_logo=uploaded(content))
    assert said in errors(answer)["new_logo"][0]
    assert not AgencyProfile.objects.exists()


@pytest.mark.parametrize("colour", ["#0b5a8a", "#17623b", "#000000", "#7a0000", "#5b21b6"])
def test_every_accepted_colour_is_readable_in_light_and_dark(colour: str):
    sheet = colours.style_sheet(colours.parse(colour))
    shades = dict(line.strip(" ;").split(": ") for line in sheet.splitlines() if ": " in line)
    for weight in (600, 700, 800):
        assert colours.contrast(colours.parse(shades[f"--color-primary-{weight}"]), colours.WHITE) >= 4.5
    for weight in (400, 500):
        assert colours.contrast(colours.parse(shades[f"--color-primary-{weight}"]), (0x11, 0x18, 0x27)) >= 4.5


def test_only_a_supervisor_changes_it(agent_at_desk: Browser, auditor_at_desk: Browser):
    for browser in (agent_at_desk, auditor_at_desk):
        assert browser.get(page()).status_code == 200
        assert save(browser, **SET).status_code == 403
    assert not AgencyProfile.objects.exists()


def test_the_list_leads_to_the_only_row(supervisor_at_desk: Browser):
    assert supervisor_at_desk.list(AgencyProfile)["Location"] == page()
    assert supervisor_at_desk.get(address(AgencyProfile, "change", 2)).status_code == 302


@pytest.mark.parametrize("code", ["0b5a8", "0B5A8A", "red;}x", "default.css"])
def test_no_other_text_becomes_a_style_sheet(client: Client, code: str):
    assert client.get(f"/agency/colours/{code}.css").status_code == 404
