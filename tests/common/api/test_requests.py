"""Requests in every form that HTTP allows, and some that it does not."""

import json
import uuid
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.common.api.test_conventions import JOHN, rules
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def in_chunks(api: Api, body: bytes) -> Any:
    """Post a body without telling its length, as a server hands it over that came in chunks."""
    extra: dict[str, Any] = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": BytesIO(body),
    }
    return api.client.generic("POST", "/debtors", headers=api.headers, **extra)


def test_a_body_in_chunks_is_read_and_bounded(api: Api):
    answer = in_chunks(api, json.dumps(JOHN).encode())
    assert (answer.status_code, answer.json()["email"]) == (201, JOHN["email"])
    assert in_chunks(api, b"").status_code == 400
    assert in_chunks(api, b" " * 1_048_577).status_code == 413


@pytest.mark.parametrize("body", [[], "x", 5, None, True])
def test_a_body_that_is_not_an_object_is_refused(api: Api, body: Any):
    answer = api.client.post("/debtors", json.dumps(body), content_type="application/json", headers=api.headers)
    assert (answer.status_code, rules(answer)) == (422, [(None, "object")])


def test_a_part_that_is_not_an_object_is_named(api: Api):
    rule = {"name": "R", "segmentId": str(factories.segment().pk), "templateId": str(factories.template().pk)}
    answer = api.post("/strategy-rules", {**rule, "trigger": "TimeTrigger"})
    assert (answer.status_code, rules(answer)) == (422, [("trigger", "object")])


def test_an_empty_band_is_refused_at_the_bound_that_was_sent(api: Api):
    made = api.post("/segments", {"name": "S", "minP2pScore": 0.2, "maxP2pScore": 0.5}).json()
    for change, blamed in (({"minP2pScore": 0.5}, "minP2pScore"), ({"maxP2pScore": 0.2}, "maxP2pScore")):
        answer = api.put(f"/segments/{made['id']}", change)
        assert (answer.status_code, rules(answer)) == (422, [(blamed, "range")])
    assert api.get(f"/segments/{made['id']}").json()["maxP2pScore"] == "0.500"


def test_the_names_of_ignored_fields_stay_within_a_header(api: Api):
    odd = {"x" * 5000: 1, "ün\r\nX-Evil: 1": 1}
    answer = api.post("/debtors", {**JOHN, **odd, **{f"u{number:02}": 1 for number in range(30)}})
    names = answer["X-Ignored-Fields"].split(", ")
    assert names == ["x" * 100, "\\xfcnX-Evil: 1", *(f"u{number:02}" for number in range(18))]
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("form", ["{}", "urn:uuid:{}", "{{{}}}"])
def test_a_filter_accepts_ids_only_in_their_usual_form(api: Api, form: str):
    debt = factories.debt()
    given = form.format(debt.debtor_id)
    answer = api.client.get("/debts", {"debtor_id": given}, headers=api.headers)
    if form == "{}":
        assert answer.json()["meta"]["total"] == 1
        assert api.get(f"/debts?debtor_id={given.upper()}").json()["meta"]["total"] == 1
    else:
        assert (answer.status_code, rules(answer)) == (422, [("debtor_id", "uuid")])


def test_an_idempotency_key_that_is_too_long_is_named_as_it_was_sent(api: Api):
    debt = factories.debt()
    body = {"debtId": str(debt.pk), "amount": 5}
    answer = api("POST", "/payments", body, **{"Idempotency-Key": "x" * 256})
    assert (answer.status_code, rules(answer)) == (422, [("Idempotency-Key", "maxLength")])
    assert api.get("/payments").json()["meta"]["total"] == 0


@pytest.mark.parametrize(
    "path", ["/docs", "/schema", "/health", "/debtors", "/auth/me", f"/debtors/{uuid.UUID(int=1)}"]
)
@pytest.mark.parametrize("method", ["TRACE", "PURGE"])
def test_an_unknown_method_is_a_problem(api: Api, path: str, method: str):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer = client.generic(method, path, headers=api.headers)  # type: ignore[arg-type]
    assert (answer.status_code, rules(answer)) == (405, [])
    assert method not in answer["Allow"]


def test_a_refusal_before_any_view_can_be_read_by_a_page_of_another_origin(api: Api, settings: Any):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    answer = api("POST", "/debtors", {"x": "y" * 1_048_576}, Origin="https://front.example")
    assert answer.status_code == 413
    assert answer["Access-Control-Allow-Origin"] == "https://front.example"
    assert "X-Ignored-Fields" in answer["Access-Control-Expose-Headers"]


def test_a_browser_may_send_an_idempotency_key(anonymous: Api, settings: Any):
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key",
    }
    answer = anonymous("OPTIONS", "/payments", Origin="https://front.example", **asked)
    assert answer.status_code == 200
    assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
    assert "POST" in answer["Access-Control-Allow-Methods"]
    stranger = anonymous("OPTIONS", "/payments", Origin="https://evil.example", **asked)
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_a_refusal_reads_the_unread_body(anonymous: Api):
    body = BytesIO(b'{"email": "x"}')
    extra: dict[str, Any] = {"CONTENT_LENGTH": str(len(body.getvalue())), "wsgi.input": body}
    answer = anonymous.client.generic("POST", "/debtors", content_type="application/json", **extra)
    assert (answer.status_code, body.read()) == (401, b"")


def test_a_body_that_trickles_in_is_not_waited_for_where_it_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch):
    class Trickle:
        pieces = 0

        def read(self, size: int) -> bytes:
            self.pieces += 1
            return b"x"

        readline = read

    monkeypatch.setattr("ddc.common.middleware.DRAIN_TIMEOUT", 0.0)
    body = Trickle()
    extra: dict[str, Any] = {"CONTENT_LENGTH": "99999999", "wsgi.input": body}
    answer = api.client.generic("POST", "/debtors", content_type="application/json", **extra)
    assert (answer.status_code, body.pieces) == (413, 1)
