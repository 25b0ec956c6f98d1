"""Answer errors under API paths as problem details (RFC 9457)."""

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from psycopg.errors import ForeignKeyViolation
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from ddc.common.api.rendering import camel
from ddc.common.errors import DomainError, TooMany

log = structlog.get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_OUTAGE = 5

#: DRF's error codes and the names that VineJS, and so old clients, use for them.
_RULES = {
    "blank": "required",
    "null": "required",
    "required": "required",
    "empty": "required",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_value": "range",
    "max_value": "range",
    "max_digits": "range",
    "max_decimal_places": "range",
    "max_whole_digits": "range",
    "max_string_length": "range",
    "invalid_choice": "enum",
    "not_a_list": "array",
    "not_a_dict": "object",
}


def problem(status: int, detail: str, *, errors: list[dict[str, Any]] | None = None, **members: Any) -> dict[str, Any]:
    """Return the members of a problem document; ``message`` repeats ``detail`` for older clients."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "message": detail,
        **members,
    }
    if errors is not None:
        body["errors"] = errors
    return body


def content_type(accept: str) -> str:
    """Return the type of problem JSON, or of plain JSON for a client that accepts only that."""
    return "application/json" if "application/json" in accept and PROBLEM_JSON not in accept else PROBLEM_JSON


def http_problem(request: HttpRequest, status: int, detail: str, **members: Any) -> HttpResponse:
    """Return a problem answer for code outside of DRF views (middleware, handler404)."""
    body = orjson.dumps(problem(status, detail, **members))
    return HttpResponse(body, status=status, content_type=content_type(request.headers.get("Accept", "")))


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer an exception in a DRF view (DRF's exception handler)."""
    set_rollback()
    status, body, headers = _describe(error)
    request = context["request"]
    response = Response(body, status=status, headers=headers)
    response.content_type = content_type(request.headers.get("Accept", ""))
    return response


def _describe(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    if isinstance(error, TooMany):
        return 429, problem(429, error.message), {"Retry-After": str(error.retry_after)}
    if isinstance(error, DomainError):
        return error.status, _of_refusal(error), {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.get_full_details()))
        return 422, problem(422, _summary(errors), errors=errors), {}
    if isinstance(error, Http404 | exceptions.NotFound):
        return 404, problem(404, "This resource does not exist."), {}
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, SuspiciousOperation):  # Such as too many parameters.
        return 400, problem(400, "The request is malformed."), {}
    if isinstance(error, IntegrityError) and isinstance(error.__cause__, ForeignKeyViolation):
        return 409, problem(409, "Something that this refers to has just been deleted. Read it again."), {}
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", error=type(error).__name__)
        return (
            503,
            problem(503, "A part of the system is down. Try again later."),
            {"Retry-After": str(RETRY_AFTER_OUTAGE)},
        )
    return 500, _unexpected(error), {}


def _of_refusal(error: DomainError) -> dict[str, Any]:
    if error.status == 422 or error.field:
        named = camel(error.field) if error.field else None
        errors = [{"field": named, "rule": error.code, "message": error.message}]
        return problem(error.status, error.message, errors=errors)
    members: dict[str, Any] = {"code": error.code} if error.shows_code else {}
    return problem(error.status, error.message, **members)


def _of_drf(error: exceptions.APIException) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return error.status_code, problem(error.status_code, str(error.detail)), headers


def _unexpected(error: BaseException) -> dict[str, Any]:
    error_id = str(uuid.uuid4())
    log.error("unexpected_error", error_id=error_id, exc_info=error)
    return problem(500, "Something went wrong on our side.", errorId=error_id)


def _summary(errors: list[dict[str, Any]]) -> str:
    first = errors[0]
    return f"{first['field']}: {first['message']}" if first["field"] else str(first["message"])


def _flatten(details: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    if isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["code"], str):
        named = ".".join(part for part in path if part != "non_field_errors") or None
        rule = _RULES.get(details["code"], details["code"])
        yield {"field": named, "rule": rule, "message": str(details["message"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _flatten(value, (*path, str(key)))
    elif isinstance(details, list):
        for index, value in enumerate(details):
            leaf = isinstance(value, dict) and set(value) == {"message", "code"}
            yield from _flatten(value, path if leaf else (*path, str(index)))


def _handler(status: int, detail: str) -> Callable[..., HttpResponse]:
    def answer(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        return http_problem(request, status, detail)

    return answer


not_found = _handler(404, "This resource does not exist.")
bad_request = _handler(400, "The request is malformed.")
forbidden = _handler(403, "You do not have permission for this.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        response = http_problem(request, 503, "A part of the system is down. Try again later.")
        response["Retry-After"] = str(RETRY_AFTER_OUTAGE)
        return response
    body = _unexpected(error or RuntimeError("unknown"))
    return HttpResponse(orjson.dumps(body), status=500, content_type=content_type(request.headers.get("Accept", "")))
