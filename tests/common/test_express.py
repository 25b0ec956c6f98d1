"""What stands in front of Django answers as Django does, or leaves the request to it as it came."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.utils.timezone import now

from agents import tokens
from ddc.common import express
from ddc.common.middleware import FAILED
from payments.models import Payment
from tests import factories
from tests.common.test_quick import headers
from tests.conftest import Api

pytestmark = pytest.mark.django_db

Environ = dict[str, Any]


@pytest.fixture
def environ() -> Callable[..., Environ]:
    """Make what a web server hands over."""
    _, token = tokens.create_api_token(factories.agent(), now=now())

    def make(path: str = "/debtors", method: str = "GET", body: bytes = b"", **more: str) -> Environ:
        return {
            "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "HTTP_HOST": "localhost:80",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body),
            "CONTENT_LENGTH": str(len(body) or ""), "CONTENT_TYPE": "application/json",
            "HTTP_AUTHORIZATION": f"Bearer {token}", **more,
        }  # fmt: skip

    return make


@pytest.mark.parametrize("more", [{}, {"Origin": "https://app.example"}, {"Origin": "https://other.example"}])
def test_headers_are_those_of_djangos_middleware(more: dict[str, str], api: Api, settings: Any, monkeypatch: Any):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    monkeypatch.setattr(express, "_usual", {})
    quick = api.get("/debtors", **more)
    monkeypatch.setattr("ddc.common.api.quick.ask", lambda *_, **__: None)
    assert headers(quick) == headers(api.get("/debtors", **more))
    assert ("access-control-allow-origin" in headers(quick)) == ("https://app.example" in more.values())


def test_headers_tell_a_request_that_came_by_tls(environ: Callable[..., Environ], settings: Any, monkeypatch: Any):
    settings.SECURE_PROXY_SSL_HEADER, settings.SECURE_HSTS_SECONDS = ("HTTP_X_FORWARDED_PROTO", "https"), 60
    monkeypatch.setattr(express, "_usual", {})
    plain, safe = express.answer(environ()), express.answer(environ(HTTP_X_FORWARDED_PROTO="https"))
    assert plain is not None
    assert safe is not None
    added = set(safe.headers) - set(plain.headers)
    assert [name for name, _ in added if name != "X-Request-ID"] == ["Strict-Transport-Security"]


def test_origins_that_nobody_knows_take_no_room(environ: Callable[..., Environ], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(express, "_usual", {})
    for number in range(300):
        assert express.answer(environ(HTTP_ORIGIN=f"https://{number}.example"))
    assert len(express._usual) <= 256


def test_a_slash_at_the_end_is_served_alike(api: Api):
    first, second = api.get("/debtors/"), api.get("/debtors")
    assert (first.status_code, first.content, headers(first)) == (200, second.content, headers(second))


@pytest.mark.parametrize(
    "more",
    [
        {"HTTP_HOST": "elsewhere.example"}, {"HTTP_HOST": ""}, {"SCRIPT_NAME": "/sub"}, {"path": "/"}, {"path": ""},
        {"path": "/debtors/7"}, {"path": "/health"}, {"method": "HEAD"}, {"method": "DELETE"}, {"HTTP_AUTHORIZATION": "Basic x"},
        {"HTTP_AUTHORIZATION": "Bearer ddc_wrong"}, {"HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "1048577"}, {"QUERY_STRING": "page=0"},
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_django(more: dict[str, str], environ: Callable[..., Environ]):
    asked = environ(**more)
    assert express.answer(asked) is None
    assert FAILED not in asked


def test_a_body_that_was_read_is_handed_on(environ: Callable[..., Environ]):
    body = json.dumps({"debtId": str(factories.debt(balance=5).pk), "amount": 6}).encode()
    asked = environ("/payments", "POST", body)
    assert express.answer(asked) is None
    assert asked["wsgi.input"].read() == body
    assert not Payment.objects.exists()


def test_a_payment_that_fails_is_not_tried_again(api: Api, monkeypatch: pytest.MonkeyPatch):
    """Nobody knows whether it was recorded."""
    debt, tries = factories.debt(balance=5), []

    def record(**_: Any) -> None:
        tries.append(1)
        raise OperationalError("the connection was lost")

    monkeypatch.setattr("payments.posting.record_unlocked", record)
    monkeypatch.setattr("payments.posting.record", record)
    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": 1})
    assert (answer.status_code, answer.headers["Retry-After"], len(tries)) == (503, "5", 1)
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_an_error_that_nobody_expected_is_told_by_its_id(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ddc.common.api.quick.ask", lambda *_, **__: 1 / 0)
    answer = api.get("/debtors")
    assert answer.status_code == 500
    assert answer.json()["errorId"]
