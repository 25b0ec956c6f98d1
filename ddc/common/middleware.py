"""What every request passes before it reaches a view."""

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from time import monotonic
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse

from ddc.common.api import routes
from ddc.common.api.problems import http_problem
from ddc.common.api.views import View

Handler = Callable[[HttpRequest], HttpResponse]

MAX_BODY = 1_048_576
#: Inbound mail comes with its attachments.
MAX_CALLBACK_BODY = 26_214_400


#: How much of a body that is refused is taken in for nothing, and for how many seconds: this process does nothing else meanwhile.
_DRAINED, _PIECE, _DRAINING_SECONDS = 67_108_864, 65_536, 2.0


def _drain(body: Any) -> None:
    """Read the rest, or who is still sending it sees a broken connection in place of the answer."""
    until = monotonic() + _DRAINING_SECONDS
    for _ in range(_DRAINED // _PIECE):
        if not body.read(_PIECE) or monotonic() > until:
            return


class BodyLimit:
    """Refuse a body over 1 MiB before it is read further; give one that comes in chunks the length that Django asks for."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = MAX_CALLBACK_BODY if request.path_info.startswith("/callbacks/") else MAX_BODY
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            # Of a body without a length Django would read nothing at all.
            body = request.META["wsgi.input"].read(most + 1)
            length = request.META["CONTENT_LENGTH"] = str(len(body))
            if len(body) > most:
                _drain(request.META["wsgi.input"])
            request._stream = BytesIO(body)
        if length.isdigit() and int(length) > most:
            _drain(request)
            return http_problem(request, 413, f"The body is larger than {most} bytes.")
        response = self.get_response(request)
        if response.status_code >= 400 and length != "0":
            # A refusal may not have looked at the body: who came without a token, or while the database was away.
            with suppress(OSError):
                _drain(request)
        return response


class Api:
    """Answer the API before sessions, forms and whatever else pages need comes in."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match, ids = routes.match(request.path_info)
        if match is None or not issubclass(getattr(match.func, "cls", object), View):
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request, **ids)
        if isinstance(response, SimpleTemplateResponse):  # As REST framework's are.
            response.render()
        return response


class OptionalSlash:
    """Serve ``/debtors/`` as ``/debtors``, without a redirect. The admin keeps its own slashes."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.endswith("/") and path != "/" and not path.startswith(("/admin/", "/static/")):
            request.path_info = path.rstrip("/") or "/"
            request.path = request.path.rstrip("/") or "/"
        return self.get_response(request)
