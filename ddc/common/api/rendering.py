"""How answers look: camelCase names, times in UTC, and JSON by orjson.

Amounts are strings by then. A Decimal is a mistake, and orjson fails on it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


@cache
def camel(name: str) -> str:
    """Turn ``first_name`` into ``firstName``."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


def utc(time: datetime) -> str:
    """Write a time in UTC with milliseconds: ``2026-01-31T08:00:00.000Z``."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ORJSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class AlwaysJSON(DefaultContentNegotiation):
    """Answer JSON whatever the client accepts, as the API did that this one replaces."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""
