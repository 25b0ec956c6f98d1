"""What is asked all day, answered before Django's handler, its signals and its middleware, which cost more than the answer does.

Only a plain request is taken: of a host that is ours, with a token, for a path with a quick answer (``ddc.common.api.quick``).
All else, and whatever a quick answer leaves to the view, Django gets as if nobody had looked at it. Both answer alike, down to
the headers; tests see to it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from time import perf_counter
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from ddc.common.api import routes
from ddc.common.middleware import FAILED, MAX_BODY
from ddc.common.observing import request_log, tracing

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_STATUS = {"GET": (200, "200 OK"), "POST": (201, "201 Created")}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: the status line, headers and the whole body."""

    status: str
    headers: Headers
    body: bytes


class Express:
    """A WSGI application in front of Django's."""

    def __init__(self, django: Application) -> None:
        self._django = django

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = answer(environ)
        if found is None:
            return self._django(environ, start_response)
        start_response(found.status, found.headers)
        return [found.body]


def answer(environ: Environ) -> Answer | None:
    """Answer a request, or leave it as it came; where that fails, Django is to answer for the failure (``FAILED``)."""
    method = environ["REQUEST_METHOD"]
    if method not in _STATUS or "HTTP_AUTHORIZATION" not in environ or not _is_ours(environ.get("HTTP_HOST", "")):
        return None
    path = environ["PATH_INFO"].rstrip("/")
    match, ids = routes.match(path)
    view: Any = match.func if match else None
    quick = getattr(view, "quick", {}).get(method)
    if quick is None or environ.get("SCRIPT_NAME") or not _take_body(environ):
        return None
    request = WSGIRequest(environ)
    request.path = request.path_info = path
    request.resolver_match = match
    request_id, began = tracing.begin(environ.get("HTTP_X_REQUEST_ID", "")), perf_counter()
    try:
        if not connection.in_atomic_block:  # As in a test.
            connection.close_if_unusable_or_obsolete()  # As Django does when a request begins.
        body: bytes | None = quick(request, **ids)
        if body is not None:
            status, line = _STATUS[method]
            request_log.note(request, status=status, seconds=perf_counter() - began)
            usual = _usual_headers(request, environ.get("HTTP_ORIGIN"), request.is_secure())
            own = [("Content-Length", str(len(body))), ("Allow", view.allowed), ("X-Request-ID", request_id)]
            return Answer(line, usual + own, body)
    except Exception as error:
        environ[FAILED] = error
    finally:
        tracing.end()
    environ["wsgi.input"].seek(0)
    return None


def _take_body(environ: Environ) -> bool:
    """Read a body that is no larger than may be, and keep it for whoever comes after us; tell whether that could be done."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not length.isdecimal() or int(length) > MAX_BODY:
        return False
    environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)) if length != "0" else b"")
    return True


@lru_cache(maxsize=256)
def _is_ours(host: str) -> bool:
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


_usual: dict[tuple[str | None, bool], Headers] = {}
_MOST_ORIGINS = 256


def _usual_headers(request: HttpRequest, origin: str | None, is_secure: bool) -> Headers:
    """Return what Django's own middleware adds to any answer to such a request."""
    if (origin, is_secure) not in _usual:
        if len(_usual) >= _MOST_ORIGINS:
            _usual.clear()
        respond: Any = _plain
        for middleware in (XFrameOptionsMiddleware, CorsMiddleware, SecurityMiddleware):
            respond = middleware(respond)
        _usual[origin, is_secure] = list(respond(request).items())
    return _usual[origin, is_secure]


def _plain(_: HttpRequest) -> HttpResponse:
    return HttpResponse(content_type="application/json")
