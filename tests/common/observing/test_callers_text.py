"""No text that a caller chooses appears in the log: not in the path, the query, any header, or the body."""

import logging
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from tests import factories
from tests.access.test_access import admin_routes
from tests.common.observing.conftest import Logged
from tests.test_architecture import routes

pytestmark = pytest.mark.django_db

MARK = "Zqmarker"
#: It has the length and the hyphens of an id.
AS_ID = "zqmarker-zqmar-zqmar-zqmar-zqmarker12"[:36]
#: All that a caller may send, but for X-Request-ID, whose text is logged on purpose if it has the form of an id.
NAMES = (
    *(
        "Origin",
        "Referer",
        "User-Agent",
        "Cookie",
        "Accept",
        "Accept-Language",
        "Authorization",
        "X-Forwarded-For",
        "Via",
    ),
    *(
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-CSRFToken",
        "Idempotency-Key",
        "If-Modified-Since",
        "Range",
        "Forwarded",
    ),
    *("Content-Encoding", "X-Twilio-Signature", "X-Amz-Sns-Message-Type", "Access-Control-Request-Method", "X-Unknown"),
)
HEADERS = {**dict.fromkeys(NAMES, MARK), "X-Request-ID": f"{MARK} {MARK}"}
SPELLINGS = (
    *(MARK, f"https://{MARK}.example", f"https://[{MARK}", f"Bearer {MARK}", f"Basic {MARK}"),
    f"{MARK}=1; csrftoken={MARK}",
)


def every_path() -> list[str]:
    own = [f"/{route}" for route, _ in routes(get_resolver().url_patterns)]
    return [*own, *(f"/{route}" for route, _ in admin_routes()), "/", f"/{MARK}", f"/static/{MARK}", f"/admin/{MARK}/"]


def filled(path: str, text: str) -> str:
    parts = path.replace("(?P<url>.*)$", "<url>").split("<")
    return parts[0] + "".join(text + part.partition(">")[2] for part in parts[1:])


def marked(logged: Logged) -> list[str]:
    return [line for line in logged.text.splitlines() if "zqmar" in line.lower()]


@pytest.fixture
def stranger() -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("text", [MARK, AS_ID])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_of_a_request_to_any_path_is_logged(stranger: Client, logged: Logged, method: str, text: str):
    for path in every_path():
        stranger.generic(
            method, f"{filled(path, text)}?{MARK}={MARK}", data=f"{MARK}={MARK}", headers=HEADERS,
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip

    assert len(logged.named("request")) > 100
    assert marked(logged) == []


@pytest.mark.parametrize("host", [MARK, f"{MARK}.example:80", f"{MARK}/..", "zqmarker" * 2_000, f"\xe4{MARK}"])
@pytest.mark.parametrize("path", ["/health", "/debtors", "/admin/login/", "/portal", "/nothing"])
def test_no_wrong_host_is_logged(stranger: Client, logged: Logged, path: str, host: str):
    stranger.get(path, headers={"Host": host})
    stranger.post(path, headers={"Host": host})

    assert marked(logged) == []


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("header", NAMES)
def test_no_header_of_a_refused_form_is_logged(stranger: Client, logged: Logged, header: str, text: str):
    for secure in (False, True):
        for path in ("/portal/request-code", "/admin/login/", "/portal/code", "/auth/token"):
            stranger.post(path, {"mobile_phone": MARK, "username": MARK}, headers={header: text}, secure=secure)

    assert marked(logged) == []


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=Zqmarker", f"text/{MARK}", MARK]
)
@pytest.mark.parametrize(
    "path",
    [
        "/debtors", "/auth/token", "/debtors/auth/request-otp", "/callbacks/twilio/inbound", "/callbacks/email/mailgun/inbound",
        "/callbacks/email/postmark/tracking", "/admin/login/", "/portal/request-code",
    ],
)  # fmt: skip
def test_no_body_is_logged(stranger: Client, logged: Logged, path: str, content_type: str):
    bodies = (
        f'{{"{MARK}": "{MARK}"}}',
        f"--{MARK}\r\n{MARK}: {MARK}\r\n\r\n{MARK}",
        "&".join([f"{MARK}=1"] * 2_000),
        MARK,
    )
    for body in bodies:
        stranger.generic("POST", path, data=body, content_type=content_type)

    assert marked(logged) == []


def test_the_name_that_a_lock_out_is_about_is_not_logged(client: Client, logged: Logged):
    for _ in range(12):
        answer = client.post("/admin/login/", {"username": MARK, "password": MARK}, headers={"User-Agent": MARK})

    assert answer.status_code == 429
    assert marked(logged) == []


def test_what_a_library_says_about_a_request_is_named_but_not_quoted(client: Client, logged: Logged):
    client.get("/admin/login/", headers={"Host": MARK})

    (line,) = [entry for entry in logged.entries if entry["logger"].startswith("django.security")]
    (request,) = logged.named("request")
    assert (line["event"], line["error"], line["logger"]) == (
        "library_message", "DisallowedHost", "django.security.DisallowedHost",
    )  # fmt: skip
    assert line["source"].startswith("log.py:")
    assert line["request_id"] == request["request_id"]
    assert (request["method"], request["status"]) == ("GET", 400)


def test_what_a_library_says_outside_of_requests_is_kept(logged: Logged):
    logging.getLogger("library").warning("no answer from %s", "the broker")

    assert [entry["event"] for entry in logged.entries] == ["no answer from the broker"]


def test_staff_too_leave_no_text_of_theirs(api, logged: Logged):
    debt = factories.debt()
    for path in (f"/debtors?search={MARK}", f"/debts/{debt.pk}?{MARK}=1", f"/debtors/{quote(MARK)}", f"/debts/{AS_ID}"):
        for method in ("GET", "PUT", "POST", "DELETE", MARK):
            api(
                method, path, {MARK: MARK, "email": MARK} if method in ("PUT", "POST") else None, **{"User-Agent": MARK}
            )

    assert marked(logged) == []


def test_every_handler_drops_the_texts_of_callers():
    logging_settings: Any = settings.LOGGING
    handlers = logging_settings["handlers"].values()
    assert all("without_callers_text" in handler["filters"] for handler in handlers)
