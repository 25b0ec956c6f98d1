"""The code follows docs/architecture.md."""

import ast
import re
from collections.abc import Container, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny

ORDER = [
    "agency", "common", "audit", "agents", "creditors", "debtors", "collections", "contact", "payments", "communications",
    "casework", "portal", "strategy",
]  # fmt: skip
PACKAGES = [
    "agency",
    "audit",
    "agents",
    "creditors",
    "debtors",
    "collection",
    "arrangements",
    "contact",
    "payments",
    "communications",
    "casework",
    "portal",
    "strategy",
]
INTERFACES = {
    "api", "fast", "serializers", "admin", "urls", "views", "receivers", "authentication",
    "filters", "forms", "apps", "middleware",
}  # fmt: skip

#: Of the names of more modules of an interface, such as receipts_api.
ENDINGS = ("_admin", "_api", "_serializers")

#: Names of Django and simplejwt.
LIBRARY_NAMES = {"_meta", "_default_manager", "_state", "_token_backend"}

PUBLIC = {
    "health", "metrics", "schema", "docs", "auth/token", "auth/token/refresh", "auth/logout",
    "debtors/auth/request-otp", "debtors/auth/verify-otp", "debtors/auth/answer",
    "track/open/<path:token>.gif",
    "callbacks/email/<str:provider>/tracking", "callbacks/email/<str:provider>/inbound",
    *(f"callbacks/<str:provider>/{kind}" for kind in ("status", "inbound", "answer", "key")),
    "unsubscribe/<str:token>", "providers/<str:provider>/events",
    "agency/colours/<str:code>.css", "agency/logo/<str:digest>.png",
}  # fmt: skip


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in Path(settings.BASE_DIR, package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def is_interface(path: Path) -> bool:
    return (
        path.stem in INTERFACES
        or path.stem.endswith(ENDINGS)
        or not {"admin", "management", "pages", "templatetags"}.isdisjoint(path.parts)
    )


def imports(path: Path, *, known: Container[str] | None = None) -> set[str]:
    """The modules and names that a module imports, lazily too; with ``known``, only the modules among these."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            # A submodule does not need its package, where this is all that is imported of it.
            found |= names if known and all(name in known for name in names) else {node.module, *names}
    return {name for name in found if name in known} if known else found


def offenders(forbidden: Any, *, among: Any = lambda path: not is_interface(path)) -> list[str]:
    return [
        f"{path.relative_to(settings.BASE_DIR)} imports {name}"
        for path in modules()
        if among(path)
        for name in sorted(imports(path))
        if forbidden(name)
    ]


def test_no_module_imports_itself_in_a_circle_even_lazily():
    paths = {
        ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ["ddc", *PACKAGES]
        for path in Path(settings.BASE_DIR, package).rglob("*.py")
    }
    graph = {name: imports(path, known=paths) for name, path in paths.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def product_names(tree: ast.AST) -> set[str]:
    """The names that a test file imports from the product."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {
        alias.asname or alias.name
        for node in nodes
        if str(node.module).split(".")[0] in ("ddc", *PACKAGES)
        for alias in node.names
    }


def private_names(tree: ast.AST, product: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner, name = ast.unparse(node.value), node.attr
        elif isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            owner, name = ast.unparse(node.args[0]), str(node.args[1].value)
        else:
            continue
        if owner.split(".")[0] in product and re.match("_[a-z]", name) and name not in LIBRARY_NAMES:
            yield f"{owner}.{name}"


def test_tests_name_no_private_part_of_the_product():
    found = []
    for path in Path(settings.BASE_DIR, "tests").rglob("*.py"):
        tree = ast.parse(path.read_text())
        found += [f"{path.name}: {name}" for name in private_names(tree, product_names(tree))]
    assert found == []


def test_rules_import_no_interface():
    def is_of_interface(name: str) -> bool:
        package, *rest = name.split(".")
        return package in PACKAGES and bool(rest) and (rest[0] in INTERFACES or rest[0].endswith(ENDINGS))

    assert offenders(is_of_interface) == []


def test_rules_know_no_request_form_or_framework_of_the_api():
    web = {"rest_framework", "drf_spectacular", "django.http", "django.forms"}

    def is_of_web(name: str) -> bool:
        return name.split(".")[0] in web or ".".join(name.split(".")[:2]) in web

    def may(path: Path) -> bool:
        return is_interface(path) or not {"channels", "providers", "readers"}.isdisjoint(path.parts)

    assert offenders(is_of_web, among=lambda path: not may(path)) == []


def test_celery_is_known_to_tasks_alone():
    found = offenders(lambda name: name.split(".")[0] == "celery", among=lambda path: path.stem != "tasks")
    assert found == []


def test_only_providers_and_mail_readers_know_a_vendor():
    def may(path: Path) -> bool:
        return not {"providers", "readers"}.isdisjoint(path.parts)

    assert offenders(lambda name: name.split(".")[0] in ("twilio", "anymail"), among=lambda path: not may(path)) == []


def test_foreign_keys_point_downwards():
    for model in apps.get_models():
        own = model._meta.app_label
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if own not in ORDER or not getattr(field, "concrete", False) or target is None or isinstance(target, str):
                continue
            other = target._meta.app_label
            if other in ORDER:
                assert ORDER.index(other) <= ORDER.index(own), f"{model.__name__}.{field.name} points up"


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":
                yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


def test_the_list_of_public_endpoints_is_complete():
    public = set()
    for route, pattern in routes(get_resolver().url_patterns):
        view: Any = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
        if view is None or any(permission is AllowAny for permission in getattr(view, "permission_classes", ())):
            public.add(route)
    pages = {route for route in public if route.startswith(("portal", "admin/"))}
    assert (
        public - pages - {"", "admin", "admin/autocomplete/", "demo/outbox", "demo/payments/<uuid:intent_id>"} == PUBLIC
    )


@pytest.mark.parametrize(
    "table",
    [
        "USER", "debtor", "debt", "payment", "otp_session", "segment", "communication_log", "communication_templates",
        "digital_activity", "deferral_requests", "strategy_rule",
    ],
)  # fmt: skip
def test_tables_keep_their_names(table: str):
    assert table in {model._meta.db_table for model in apps.get_models()}


@pytest.mark.django_db  # Loading tasks loads the admin, which looks at its own table.
def test_the_timetable_names_tasks_that_there_are():
    from ddc.celery import app

    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_messages_are_handed_to_a_channel_in_one_place():
    for handing_over in (r"\.send_sms\(", r"\)\.call\(", r"email\.Sender\("):
        found = {
            str(path.relative_to(settings.BASE_DIR)) for path in modules() if re.search(handing_over, path.read_text())
        }
        assert found == {"communications/sending/senders.py"}


def test_the_contact_gate_reads_no_clock():
    files = list(Path(settings.BASE_DIR, "contact", "engine").glob("*.py"))
    assert files
    for path in files:
        read = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not read & {"now", "today", "utcnow", "monotonic", "time_ns"}, path.name


def test_every_file_that_the_documents_name_exists():
    named = {
        (page.name, path)
        for page in [*Path(settings.BASE_DIR, "docs").glob("*.md"), Path(settings.BASE_DIR, "CONTRIBUTING.md")]
        for path in re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|md|toml))`", page.read_text())
    }
    assert ("architecture.md", "payments/posting.py") in named
    assert sorted(pair for pair in named if not Path(settings.BASE_DIR, pair[1]).exists()) == []
