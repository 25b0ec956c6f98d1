"""Queries that no client sends by accident."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from agents.serializers import CredentialsSerializer
from communications.serializers import ProcessSerializer
from ddc.common.api.serializers import CamelSerializer
from portal.serializers import OtpVerificationSerializer
from strategy.serializers import RunInputSerializer
from tests import factories, hostile
from tests.test_architecture import routes

pytestmark = pytest.mark.django_db


def errors(answer):
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("path", ["/debtors", "/debts", "/payments", "/communication-templates"])
def test_half_a_surrogate_pair_is_refused(api, settings, path: str, fast: bool):
    settings.FAST_READS = fast
    factories.debt()

    answer = api.get(f"{path}?limit=5&search=a%ED%A0%80&page=1")

    assert (answer.status_code, errors(answer)) == (422, [("search", "regex")])
    assert api.get(f"{path}?search=%ED%9F%BF").status_code == 200
    assert api.get(f"{path}?%ed%bf%bf=1").status_code == 422


@pytest.mark.parametrize("path", ["/debtors", "/debts", "/communication-templates", "/strategy/runs", "/auth/me"])
def test_a_query_with_thousands_of_parameters_is_not_our_error(api, path: str):
    assert api.get(f"{path}?{'&'.join(f'x{number}=1' for number in range(3_000))}").status_code in (200, 400)


def paths() -> Iterator[tuple[str, URLPattern]]:
    for route, pattern in routes(get_resolver().url_patterns):
        if not route.startswith("admin"):
            yield f"/{route}", pattern


def ask(client: Client, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> int:
    """Send a request as it is, undo its effect, and return the status."""
    path, _, query = url.partition("?")
    extra = {"PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query}
    with transaction.atomic():
        answer = client.generic(method, "/", body, "application/json", headers=headers, **extra)  # type: ignore[arg-type]
        transaction.set_rollback(True)
    return int(answer.status_code)


def failures(api, requests: Iterable[tuple[str, str, bytes]]) -> list[str]:
    client = Client(raise_request_exception=False)
    assert ask(client, "GET", "/debtors?limit=1", api.headers) == 200
    return [
        f"{method} {url[:120]} {body[:60]!r}"
        for method, url, body in requests
        if ask(client, method, url, api.headers, body) >= 500 and "health" not in url
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_no_id_is_an_error_of_ours(api, method: str):
    factories.debt()
    chosen = [path for path, _ in paths() if "<" in path]
    assert len(chosen) > 20
    urls = (text.join(re.split(r"<[^>]+>", path)) for path in chosen for text in hostile.IDS)
    assert failures(api, ((method, url, b"{}") for url in urls)) == []


def parameters(pattern: URLPattern) -> tuple[str, ...]:
    view = getattr(pattern.callback, "cls", None)
    filters = getattr(view, "filterset_class", None)
    return ("page", "limit", "search", "country_code", "lang", "script", *(filters.base_filters if filters else ()))


@pytest.mark.parametrize("fast", [True, pytest.param(False, marks=pytest.mark.deep)])
def test_no_query_is_an_error_of_ours(api, settings, fast: bool):
    settings.FAST_READS = fast
    debt = factories.debt()
    chosen = [(path, pattern) for path, pattern in paths() if "<" not in path or path.startswith("/debtors/<id")]
    for path, pattern in chosen:
        url = re.sub(r"<[^>]+>", str(debt.debtor_id), path)
        queries = hostile.queries(parameters(pattern)) if path in ("/debtors", "/debts") else few(parameters(pattern))
        assert failures(api, (("GET", f"{url}?{query}", b"") for query in queries)) == []


def few(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (f"{name}={value}" for value in ("%00", "9" * 400, "x" * 20_000, "%ED%A0%80", "99999-01-01", "-1"))


#: Values of a field that no client means.
BODIES = (
    b"", b"null", b"[]", b"0", b'""', b"{", b"\xff", b"NaN", b"{}" * 2, b'{"":""}', b'{"\\u0000":1}', b'{"\\ud800":1}',
    b"[" * 100_000, b'{"a":' * 50 + b"1" + b"}" * 50, b'{"a":' + b"9" * 5_000 + b"}", b'{"a":1e999999999}',
    b'{"a":-1e-999999999}',
)  # fmt: skip
VALUES: tuple[bytes, ...] = (
    b"null", b"true", b"-1", b"0", b"1e400", b"1E-400", b"9" * 400, b"1.0000000000000000000000000001", b'"\\u0000"', b'"\\ud800"',
    b'"99999-12-31"', b'"0000-00-00"', b'"9999-12-31T23:59:59-23:59"', b'"' + b"x" * 100_000 + b'"', b"[]", b"{}", b"[[[[1]]]]",
    b'{"a":{"b":[]}}', '"١٢"'.encode(), b'"1_000"', b'" "',
)  # fmt: skip


def bodies(serializer: type[CamelSerializer] | None) -> Iterator[bytes]:
    yield from BODIES
    for name in serializer().fields if serializer else ():
        for value in VALUES:
            yield b'{"%s":%s}' % (str(name).encode(), value)
    yield b"{" + b",".join(b'"x%d":1' % number for number in range(50_000)) + b"}"


#: The bodies that views read, by the action of the view; others read their resource's.
READ = {
    ("/communication-templates/process", "post"): ProcessSerializer, ("/strategy/runs", "post"): RunInputSerializer,
    ("/auth/token", "post"): CredentialsSerializer, ("/debtors/auth/verify-otp", "post"): OtpVerificationSerializer,
}  # fmt: skip


@pytest.mark.deep
def test_no_body_is_an_error_of_ours(api):
    debt = factories.debt()
    pks = {"debtors": debt.debtor_id, "debts": debt.pk}
    for path, pattern in paths():
        actions = getattr(pattern.callback, "actions", None) or {}
        view = getattr(pattern.callback, "cls", None)
        url = re.sub(r"<[^>]+>", str(pks.get(path.split("/")[1], debt.pk)), path)
        for method in {"post", "put"} & set(actions):
            read = (
                READ.get((path, method))
                or getattr(view, "input_serializer", None)
                or getattr(view, "serializer_class", None)
            )
            assert failures(api, ((method.upper(), url, body) for body in bodies(read))) == [], path
