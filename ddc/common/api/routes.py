"""Paths without a trailing slash, with ids in any letter case."""

import uuid
from typing import Any

from django.urls import URLPattern, path, register_converter


class AnyCaseUUID:
    """A UUID as clients write it; Django's own converter knows lower case alone."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> uuid.UUID:
        return uuid.UUID(value)

    def to_url(self, value: uuid.UUID | str) -> str:
        return str(value)


register_converter(AnyCaseUUID, "id")


def resource(
    prefix: str, view: Any, *, name: str, only: str = "list create retrieve update destroy"
) -> list[URLPattern]:
    """Return the two paths of a resource: the collection and, with an id, one of it. PATCH is PUT."""
    allowed = set(only.split())
    many = {"get": "list", "post": "create"}
    one = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}
    patterns = []
    for suffix, actions, kind in (("", many, "list"), ("/<id:pk>", one, "detail")):
        chosen = {method: action for method, action in actions.items() if action in allowed}
        if chosen:
            patterns.append(path(f"{prefix}{suffix}", view.as_view(chosen), name=f"{name}-{kind}"))
    return patterns
