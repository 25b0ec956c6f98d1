"""Paths without a trailing slash, with ids in any case."""

import re
import uuid
from functools import lru_cache
from typing import Any

from django.urls import Resolver404, ResolverMatch, URLPattern, path, register_converter, resolve
from django.urls.converters import UUIDConverter


class AnyCaseUUID(UUIDConverter):
    """A UUID in any case; Django's converter accepts only lower case."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


register_converter(AnyCaseUUID, "id")


def resource(
    prefix: str, view: Any, *, name: str, only: str = "list create retrieve update destroy"
) -> list[URLPattern]:
    """Return the two paths of a resource: of the list and, with an id, of one row. PATCH works like PUT."""
    allowed = set(only.split())
    many = {"get": "list", "post": "create"}
    one = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}
    patterns = []
    for suffix, actions, kind in (("", many, "list"), ("/<id:pk>", one, "detail")):
        chosen = {method: action for method, action in actions.items() if action in allowed}
        if chosen:
            patterns.append(path(f"{prefix}{suffix}", view.as_view(chosen), name=f"{name}-{kind}"))
    return patterns


#: Strangers choose paths, and a path kept in the cache occupies memory. No route of the API is longer.
_CACHED_LENGTH = 200
_ID = re.compile(f"(?<=/){AnyCaseUUID.regex}(?=/|$)")
#: Replaces the ids of a path while its view is looked up.
_ANY = uuid.UUID(int=0)


def match(path: str) -> tuple[ResolverMatch | None, dict[str, Any]]:
    """Return the view of a path, and the ids to call it with.

    The view does not depend on the ids, so it is looked up once for all of them.
    """
    ids = _ID.findall(path)
    route = _ID.sub(str(_ANY), path) if ids else path
    found = _cached(route) if len(route) <= _CACHED_LENGTH else _resolved(route)
    if found is None:
        return None, {}
    given = map(uuid.UUID, ids)
    return found, {name: next(given) if value == _ANY else value for name, value in found.kwargs.items()}


def _resolved(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


_cached = lru_cache(maxsize=256)(_resolved)
