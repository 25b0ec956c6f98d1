"""Every answer that a test gets from the API is held against the API's own description."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from django.test import Client
from drf_spectacular.generators import SchemaGenerator


@cache
def description() -> dict[str, Any]:
    """Return the description as /schema answers it."""
    made: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    return made


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """The described paths, those without parameters first."""
    templates = sorted(description()["paths"], key=lambda template: template.count("{"))
    pattern = {template: re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)) for template in templates}
    return [(re.compile(pattern[template] + "/?"), template) for template in templates]


@cache
def _validator(template: str, method: str, status: str, content_type: str) -> Any:
    schema = answer_of(template, method, status)["content"][content_type]["schema"]
    whole = {**schema, "components": description()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def forget() -> None:
    """Read the description again at the next answer."""
    for cached in (description, _paths, _validator):
        cached.cache_clear()


def answer_of(template: str, method: str, status: str) -> dict[str, Any]:
    """Return what is described of an answer."""
    found: dict[str, Any] = description()["paths"][template][method]["responses"][status]
    if reference := found.get("$ref"):
        found = description()["components"]["responses"][reference.rsplit("/", 1)[1]]
    return found


def check(method: str, path: str, answer: Any) -> None:
    """Fail where an answer is not as described: its status, its content type, its body."""
    template = next((template for pattern, template in _paths() if pattern.fullmatch(path)), None)
    operation = description()["paths"][template].get(method.lower()) if template else None
    if operation is None:
        return
    where, status = f"{method} {template}", str(answer.status_code)
    assert status in operation["responses"], (
        f"{where} answered {status}, which is not described: {answer.content[:300]!r}"
    )
    content = answer_of(str(template), method.lower(), status).get("content")
    given = answer.headers.get("Content-Type", "").split(";")[0]
    if content is None:
        assert not answer.content, f"{where} answered {status} with a body that is not described"
        return
    assert given in content, f"{where} answered {status} as {given!r}"
    if given.endswith("json"):
        validator = _validator(str(template), method.lower(), status, given)
        for error in validator.iter_errors(json.loads(answer.content)):
            raise AssertionError(
                f"{where} answered {status}, not as described: {error.message} at {error.instance_path}"
            )


class CheckingClient(Client):
    """Django's test client, with an eye on what is described."""

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        check(request["REQUEST_METHOD"], request["PATH_INFO"], answer)
        return answer
