"""No id, query or form that somebody makes up is an error of ours in the back office."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client

from agents.models import Agent
from collection.models import Debt, Dispute
from ddc.common import days
from tests import hostile
from tests.access.test_access import admin_routes
from tests.admin.conftest import NOW, fill

pytestmark = pytest.mark.django_db

#: Parameters of Django's lists and forms, and lookups over relations.
PARAMETERS = (
    *(
        "q",
        "p",
        "o",
        "e",
        "all",
        "_facets",
        "_to_field",
        "_popup",
        "_changelist_filters",
        "pk",
        "id__exact",
        "id__in",
        "pk__gte",
    ),
    *("created_at__year", "created_at__date", "debt__id__exact", "debtor__id__exact", "debt__debtor__id", "x__y__z"),
)
#: Parameters of the other pages.
OTHERS = ("next", "term", "page", "s", "app_label", "model_name", "field_name")
WAYS = ("", "__exact", "__isnull", "__gte")
FEW_VALUES = ("x", "%00", "9" * 20, "99999-01-01", "%ED%A0%80")


@pytest.fixture
def root() -> Client:
    """A client that may see every page."""
    client = Client(raise_request_exception=False)
    client.force_login(Agent.objects.create(username="root", password="!", is_staff=True, is_superuser=True))
    assert client.get("/admin/").status_code == 200
    return client


def ask(client: Client, method: str, url: str, form: dict[str, str] | None = None) -> int:
    """Send a request whose effect is undone, and return the status. The path is decoded as the web server does."""
    path, _, query = url.partition("?")
    raw = unquote_to_bytes(path).decode("latin-1")
    with transaction.atomic():
        extra: Any = {"QUERY_STRING": query}
        data: dict[str, str] = {}
        if form is not None:  # Written as it is: a client of Django cannot send every text.
            data["data"] = "&".join(f"{name}={value}" for name, value in form.items())
            data["content_type"] = "application/x-www-form-urlencoded"
        answer = getattr(client, method.lower())("/", PATH_INFO=raw, **data, **extra)
        transaction.set_rollback(True)
    return int(answer.status_code)


def paths() -> Iterator[str]:
    """Yield every path of the back office, with ``<>`` for each part that a caller chooses."""
    for route, _ in admin_routes():
        yield "/" + re.sub(r"<[^>]+>|\(\?P<[^)]+\)", "<>", route).replace("$", "").replace("\\Z", "").replace("^", "")


#: One id of each kind, for every page; all of them for a page of each kind of primary key.
FEW = ("x", "%00", "_00", "9" * 400, "%FF")
EACH_KIND = (
    "/admin/collections/debt/<>/change/",
    "/admin/auth/group/<>/history/",
    "/admin/communications/circuit/<>/change/",
)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_id_is_an_error_of_ours(root: Client, method: str):
    fill(1)
    wrong = []
    for path in sorted({path for path in paths() if "<>" in path}):
        for hostile_id in hostile.IDS if path in EACH_KIND else FEW:
            status = ask(root, method, path.replace("<>", hostile_id), {} if method == "POST" else None)
            if status >= 500:
                wrong.append(f"{method} {path} with {hostile_id[:40]}: {status}")
    assert wrong == []


def filters_of(model: Any) -> tuple[str, ...]:
    """Return the parameters of a list that are fields and filters of its table."""
    page = admin.site._registry[model]
    chosen = (each[0] if isinstance(each, tuple) else each for each in page.list_filter)
    names = {str(getattr(each, "parameter_name", each)) for each in chosen}
    return tuple(
        f"{name}{way}" for name in sorted(names | {f.name for f in model._meta.concrete_fields}) for way in WAYS
    )


def list_of(model: Any) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def failures(client: Client, path: str, queries: Iterable[str]) -> list[str]:
    """Return the queries of a page that are answered by an error of ours."""
    return [f"{path}?{query[:80]}" for query in queries if ask(client, "GET", f"{path}?{query}") >= 500]


def each_value(names: Iterable[str], values: Iterable[str] = FEW_VALUES) -> Iterator[str]:
    return (f"{name}={value}" for name in names for value in values)


def test_no_query_of_a_list_is_an_error_of_ours(root: Client):
    fill(1)
    assert failures(root, list_of(Debt), hostile.queries(("q", "p", "o", "e", "all"))) == []
    assert failures(root, list_of(Debt), each_value((*PARAMETERS, *filters_of(Debt)))) == []


@pytest.mark.deep
def test_no_query_of_any_list_is_an_error_of_ours(root: Client):
    fill(1)
    for model in admin.site._registry:
        assert failures(root, list_of(model), each_value((*PARAMETERS, *filters_of(model)))) == []


@pytest.mark.deep
def test_no_query_of_any_form_is_an_error_of_ours(root: Client):
    fill(1)
    for model in admin.site._registry:
        check_form(root, model)


@pytest.mark.parametrize("model", [Dispute, Group])
def test_no_query_of_a_form_is_an_error_of_ours(root: Client, model: Any):
    fill(1)
    check_form(root, model)


def check_form(root: Client, model: Any) -> None:
    row = model._default_manager.first()
    names = ("_to_field", "_popup", "_changelist_filters")
    fields = (field.name for field in model._meta.fields)
    assert failures(root, f"{list_of(model)}add/", each_value((*names, *fields), ("%00", "9" * 20))) == []
    if row:
        assert failures(root, f"{list_of(model)}{quote(row.pk)}/change/", each_value(names)) == []


#: Pages beside the tables', and those of their parameters that they need before they read the others.
NEEDED = (
    ("/admin/login/", ""), ("/admin/jsi18n/", ""), ("/admin/search/", ""), ("/admin/search/", "s=a&"),
    ("/admin/autocomplete/", ""),
    ("/admin/autocomplete/", "app_label=payments&model_name=payment&field_name=debt&"),
    ("/admin/autocomplete/", "app_label=collections&model_name=debt&field_name=debtor&term=a&"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "needed"), NEEDED)
def test_no_query_of_another_page_is_an_error_of_ours(root: Client, path: str, needed: str):
    queries = (f"{needed}{query}" for query in hostile.queries((*OTHERS, "q", "e")))
    assert failures(root, path, queries) == []


@pytest.mark.parametrize(
    "mistake", [lambda _: days.later(NOW.date(), days="x"), lambda _: days.later(NOW.date(), days=-999_999)]
)
def test_a_programming_error_is_an_error_of_ours(root: Client, mistake: Any, monkeypatch: pytest.MonkeyPatch):
    fill(1)
    monkeypatch.setattr(admin.site._registry[Debt], "annotate_rows", mistake)
    assert ask(root, "GET", f"{list_of(Debt)}?q=john") == 500


@pytest.mark.deep
def test_no_form_is_an_error_of_ours(root: Client):
    fill(1)
    wrong = []
    for model, page in admin.site._registry.items():
        fields = [field.name for field in model._meta.concrete_fields]
        for text in ("%00", "9" * 400, "x" * 100_000, "%ED%A0%80", "99999-01-01", "NaN"):
            form = dict.fromkeys((*fields, "if_unchanged_since", "aliases", "_save", "post"), text)
            wrong += [
                f"add {model} {text[:9]!r}" for _ in [0] if ask(root, "POST", f"{list_of(model)}add/", form) >= 500
            ]
            acted = {"action": text, "_selected_action": text, "index": text, "select_across": text}
            wrong += [f"act {model} {text[:9]!r}" for _ in [0] if ask(root, "POST", list_of(model), acted) >= 500]
        many = {f"x{number}": "1" for number in range(20_000)}
        assert ask(root, "POST", list_of(model), many) < 500, page
    assert wrong == []
