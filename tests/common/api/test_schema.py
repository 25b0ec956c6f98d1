"""The description of the API. The test client compares every answer with it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ddc.common.middleware import MAX_BODY, MAX_DOCUMENT_BODY
from tests.access import table
from tests.access.test_access import parse, plain
from tests.conftest import Api
from tests.openapi import description

#: Pages for people and their look, the description itself, and what operators ask.
NOT_DESCRIBED = {
    *("/", "/docs", "/schema", "/metrics", "/demo/outbox"),
    "/demo/payments/<>",
    *("/agency/logo/<>.png", "/agency/colours/<>.css"),
}
METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def parts(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield where, node
        for name, inner in node.items():
            yield from parts(inner, f"{where}/{name}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from parts(inner, f"{where}/{index}")


def test_every_operation_of_the_table_is_described():
    listed = {(method, plain(path)) for method, path, _, _ in parse(table.API) if plain(path) not in NOT_DESCRIBED}
    assert {(method, plain(path)) for method, path, _ in operations()} == listed


def test_the_statuses_of_the_table_are_described():
    for method, path, statuses, _ in parse(table.API):
        if plain(path) not in NOT_DESCRIBED:
            (operation,) = [
                found for verb, other, found in operations() if (verb, plain(other)) == (method, plain(path))
            ]
            assert {str(status) for status in statuses} <= set(operation["responses"]), (method, path)


#: One of these says what a value is.
TYPED_BY = {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}


def untyped(described: Any) -> Iterator[str]:
    """List where anything at all may stand: ``{}``, an object without members, or one with any others."""
    for where, node in parts(described):
        holder, name = where.rsplit("/", 2)[-2:] if where.count("/") > 1 else ("", where)
        is_schema = name in ("schema", "items", "additionalProperties") or holder in (
            "properties",
            "anyOf",
            "oneOf",
            "allOf",
        )
        kind = node.get("type")
        is_object = kind == "object" or (isinstance(kind, list) and "object" in kind)
        members = node.get("properties") or isinstance(node.get("additionalProperties"), dict)
        if (is_schema and not TYPED_BY & set(node)) or (is_object and not members):
            yield where


def test_no_object_is_untyped_but_metadata():
    assert [where for where in untyped(description()) if "metadata" not in where] == []


@pytest.mark.parametrize(
    "schema",
    [
        {}, {"description": "Anything."}, {"type": "object"}, {"type": ["object", "null"]},
        {"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": {}},
        {"type": "array", "items": {}}, {"anyOf": [{"type": "string"}, {}]}, {"type": "object", "properties": {"a": {}}},
    ],
)  # fmt: skip
def test_what_counts_as_untyped(schema: dict[str, Any]):
    assert len(list(untyped({"content": {"application/json": {"schema": schema}}}))) == 1


@pytest.mark.django_db
def test_a_body_that_is_too_large_is_described_for_each_method_and_path(api: Api):
    large, document = "x" * (MAX_BODY + 1), b"x" * (MAX_DOCUMENT_BODY + 1)
    for method, path, operation in operations():
        assert "413" in operation["responses"], (method, path)
        if not path.startswith("/callbacks/"):  # They may be larger.
            body = document if (method, path) == ("POST", "/debtors/me/documents") else large
            answer = api.client.generic(method, re.sub(r"\{\w+\}", "x", path), body, headers=api.headers)
            assert answer.status_code == 413, (method, path)


def test_answers_are_described_with_exactly_their_members():
    for name, schema in description()["components"]["schemas"].items():
        if schema.get("type") == "object" and not name.endswith("Request"):
            assert schema["additionalProperties"] is False, name
            if name not in ("LedgerCause", "Trigger", "Conditions", "Conflict", "Outage", "SignInRefused"):
                assert set(schema["required"]) == set(schema["properties"]), name


def test_every_operation_has_a_unique_name_and_its_callers():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert all(name[0].islower() and name.isalnum() for name in names)
    for method, path, operation in operations():
        allowed = [next(iter(found), None) for found in operation.get("security", [])]
        if path.startswith(("/debtors/me/", "/debtors/auth/logout")):
            assert allowed == ["debtor"], (method, path)
        elif "401" in operation["responses"] and not path.startswith(("/auth/token", "/debtors/auth", "/callbacks")):
            assert "staff" in allowed, (method, path)
        else:
            assert allowed == [], (method, path)


def test_references_lead_somewhere():
    for where, node in parts(description()):
        if isinstance(node.get("$ref"), str):
            found: Any = description()
            for part in node["$ref"].removeprefix("#/").split("/"):
                assert part in found, (where, node["$ref"])
                found = found[part]


@pytest.mark.django_db
def test_the_description_is_answered_to_all(anonymous: Api):
    answer = anonymous.get("/schema")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
    assert set(answer.json()["paths"]) == set(description()["paths"])
