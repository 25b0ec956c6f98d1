"""Log each request in one line, and give it an id by which to find it."""

import re
from time import perf_counter

import structlog
from django.http import HttpRequest, HttpResponse

from ddc.common import callers
from ddc.common.api.routes import AnyCaseUUID
from ddc.common.middleware import Handler
from ddc.common.observing import metrics, tracing
from ddc.common.postgresql import recorded

log = structlog.get_logger(__name__)

#: Requested all day long, and logged only when they fail.
_QUIET = ("/health", "/metrics", "/static/")
_ID = re.compile(rf"{AnyCaseUUID.regex}|[0-9]{{1,8}}")


class RequestLog:
    """Trace a request and log its result, without the query, which can contain names and phone numbers.

    A caller may choose the id in ``X-Request-ID``; the answer always has it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = tracing.begin(request.META.get("HTTP_X_REQUEST_ID", ""))
        began = perf_counter()
        try:
            with recorded.acting(lambda: callers.actor(request)):
                response = self.get_response(request)
            response["X-Request-ID"] = request_id
            record(request, status=response.status_code, seconds=perf_counter() - began)
            return response
        finally:
            tracing.end()


def record(request: HttpRequest, *, status: int, seconds: float) -> None:
    """Count an answered request and log it."""
    method = metrics.known(request.method)
    metrics.observe(method, _route(request), status, seconds)
    if status >= 400 or not request.path_info.startswith(_QUIET):
        log.info(
            "request",
            method=method,
            path=path(request),
            status=status,
            ms=round(seconds * 1000, 1),
            **_caller(request),
        )


def path(request: HttpRequest) -> str | None:
    """Return the path to log: the requested path if only ids vary in it, else the route.

    A path can contain a token, and an unknown path can contain anything.
    """
    match = request.resolver_match
    if match is None:
        return None
    chosen = set(request.path_info.split("/")).difference(match.route.split("/"), [""])
    return request.path_info if all(map(_ID.fullmatch, chosen)) else f"/{match.route}"


def _route(request: HttpRequest) -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match else "none"


def _caller(request: HttpRequest) -> dict[str, str]:
    kind, caller = callers.signed_in(request)
    return {kind: str(caller.pk)} if caller else {}
