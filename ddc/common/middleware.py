"""Middleware for every request: body limits, rate limits of pages, optional slashes, and a short way to the API's views."""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from time import monotonic
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.utils import translation

from ddc.common import page_language
from ddc.common.api import routes
from ddc.common.api.problems import http_problem
from ddc.common.api.views import View
from ddc.common.errors import TooMany

Handler = Callable[[HttpRequest], HttpResponse]

MAX_BODY = 1_048_576
#: Inbound mail has attachments.
MAX_CALLBACK_BODY = 26_214_400
#: Paths with larger bodies: callbacks, and the upload of a placement file.
_LARGE = ("/callbacks/", "/admin/collections/placementimport/add/")
#: A debtor's document, and where debtors send one.
MAX_DOCUMENT_BODY = 10_485_760
_DOCUMENTS = re.compile(r"/debtors/me/documents/?|/portal/(debts/[^/]+/dispute|disputes/[^/]+)/?")
#: How much of a refused body is read, in pieces of which size, and for how long. The process does nothing else in that time.
DRAINED_BYTES, PIECE_BYTES, DRAIN_TIMEOUT = 67_108_864, 65_536, 2.0


def _drain(body: Any) -> None:
    """Read the rest of a body. A client that still sends it would see a broken connection and not the answer."""
    deadline = monotonic() + DRAIN_TIMEOUT
    for _ in range(DRAINED_BYTES // PIECE_BYTES):
        if not body.read(PIECE_BYTES) or monotonic() > deadline:
            return


class BodyLimit:
    """Refuse a body over 1 MiB, 10 MiB with a debtor's document, or 25 MiB of a callback or an upload, before it is read further.

    A body in chunks gets the length that Django requires.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = _most(request)
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            # Django reads nothing of a body without a length.
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
            # The body may not have been read: the token was missing, or the database was down.
            with suppress(OSError):
                _drain(request)
        return response


def _most(request: HttpRequest) -> int:
    path = request.path_info
    if request.method == "POST" and _DOCUMENTS.fullmatch(path):
        return MAX_DOCUMENT_BODY
    return MAX_CALLBACK_BODY if path.startswith(_LARGE) else MAX_BODY


class Api:
    """Answer the API without the middleware that only pages need, such as sessions and forms."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match, ids = routes.match(request.path_info)
        if match is None or not issubclass(getattr(match.func, "cls", object), View):
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request, **ids)
        if isinstance(response, SimpleTemplateResponse):  # As those of REST framework are.
            response.render()
        return response


class PageLimit:
    """Answer a page that a rate limit refuses, such as the sign-in of the back office."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooMany):
            return None
        minutes = math.ceil(exception.retry_after / 60)
        is_portal = request.path_info.startswith("/portal")
        with translation.override(page_language.of(request) if is_portal else "en"):
            response = render(request, "too_many.html", {"message": exception.message, "minutes": minutes}, status=429)
        response["Retry-After"] = str(exception.retry_after)
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
