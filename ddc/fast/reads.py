"""The entry point of fast reads, and the query that finds the caller and the data in one statement."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from agents.authentication import StaffAuthentication
from agents.models import Agent
from ddc.common.api.parser import has_surrogate

#: Answers a GET request (and the ids in its path) with JSON, or with None where the ordinary view has to answer.
FastRead = Callable[..., bytes | None]
Row = tuple[Any, ...]


def answer_fast(patterns: Sequence[URLPattern], reads: Mapping[str, FastRead]) -> list[URLPattern]:
    """Let fast reads answer the GET requests of these routes; ``reads`` holds them by the route's name."""
    by_name = {pattern.name: pattern for pattern in patterns}
    for name, read in reads.items():
        by_name[name].callback = _fast_first(by_name[name].callback, read)
    return list(patterns)


def fetch_row(
    request: HttpRequest,
    permission: str,
    select: str,
    params: Mapping[str, Any],
    *,
    plan_once: bool = True,
) -> Row | None:
    """Run a statement with this select list for the caller; None where the caller is unknown or lacks the permission.

    The statement itself looks the caller up, so a token that was revoked a moment ago finds nothing.
    """
    caller = StaffAuthentication.look_up(request)
    if caller is None:
        return None
    sql = f"SELECT caller.*, {select} FROM (SELECT {caller.columns} FROM {caller.source}) AS caller"
    with connection.cursor() as cursor:
        if plan_once:
            cursor.execute(sql, {**caller.params, **params})
        else:
            with connection.wrap_database_errors:
                cursor.cursor.execute(sql, {**caller.params, **params}, prepare=False)
        row: Row | None = cursor.fetchone()
    if row is None or not StaffAuthentication.may(row[: caller.width], permission):
        return None
    StaffAuthentication.record_use(request)
    request.user = Agent.from_db(connection.alias, ["id"], row[:1])  # The request log needs the id only.
    return row[caller.width :]


def _fast_first(view: Any, read: FastRead) -> Any:
    allowed = [method for method in view.cls.http_method_names if method in (*view.actions, "head", "options")]
    headers = {"Allow": ", ".join(allowed).upper()}

    @wraps(view)
    def answer(request: HttpRequest, **ids: Any) -> HttpResponse:
        is_fast = request.method == "GET" and settings.FAST_READS and not has_surrogate(request.META["QUERY_STRING"])
        body = read(request, **ids) if is_fast else None
        if body is None:
            response: HttpResponse = view(request, **ids)
            return response
        return HttpResponse(body, content_type="application/json", headers=headers)

    return answer
