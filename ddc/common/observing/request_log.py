"""One log line for each request, and its id for whoever asks about it later."""

from time import perf_counter

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject, empty

from ddc.common.middleware import Handler
from ddc.common.observing import metrics, tracing

log = structlog.get_logger(__name__)

#: Asked for all day long; of interest only where they fail.
_QUIET = ("/health", "/metrics", "/static/")


class RequestLog:
    """Trace a request and log how it went: never its query, in which names and phone numbers stand.

    Whoever calls may choose the id by ``X-Request-ID``, and is told it in any case.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = tracing.begin(request.META.get("HTTP_X_REQUEST_ID", ""))
        began = perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            note(request, status=response.status_code, seconds=perf_counter() - began)
            return response
        finally:
            tracing.end()


def note(request: HttpRequest, *, status: int, seconds: float) -> None:
    """Count a request that was answered, and write its line."""
    method = metrics.known(request.method)
    metrics.observe(method, _route(request), status, seconds)
    if status >= 400 or not request.path_info.startswith(_QUIET):
        log.info(
            "request",
            method=method,
            path=path(request),
            status=status,
            ms=round(seconds * 1000, 1),
            **_who(request),
        )


def path(request: HttpRequest) -> str | None:
    """Return the path to log: as asked for where all that varies in it is an id, else the route.

    A token may stand in the path, and anything at all in a path that we don't serve.
    """
    match = request.resolver_match
    if match is None:
        return None
    if match.kwargs and not all(_is_id(str(value)) for value in match.kwargs.values()):
        return f"/{match.route}"
    return request.path_info


def _is_id(value: str) -> bool:
    return (len(value) == 36 and value.count("-") == 4) or (value.isdecimal() and len(value) <= 8)


def _route(request: HttpRequest) -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match else "none"


def _who(request: HttpRequest) -> dict[str, str]:
    """Name who asked, where that is known already: it is worth no query."""
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject):
        wrapped = user.__dict__.get("_wrapped", empty)
        user = wrapped if wrapped is not empty else None
    who = getattr(user, "debtor", user)
    key = getattr(who, "pk", None)
    return {type(who).__name__.lower(): str(key)} if key else {}
