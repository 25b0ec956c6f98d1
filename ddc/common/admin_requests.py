"""Requests of the back office with ids and queries that nobody can mean."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ddc.common.api.parser import is_storable
from ddc.common.api.problems import bad_request
from ddc.common.days import agency_zone

log = structlog.get_logger(__name__)

#: By kind of primary key, one that no row has.
_NOBODYS: tuple[tuple[type[Any], str], ...] = (
    (models.UUIDField, "00000000-0000-0000-0000-000000000000"),
    (models.IntegerField, "0"),
    (models.Field, "-"),
)

#: What Django's lookups and PostgreSQL raise.
_REFUSALS = (ValidationError, InvalidPage, DataError)
#: What a library's conversion of a parameter raises. Raised in our own code, it is a programming error.
_CONVERSIONS = (ValueError, TypeError, OverflowError)


class AdminRequests:
    """Answer malformed ids and queries as mistakes of the caller. Django and django-unfold pass both to the database unchecked.

    An id that cannot be one of its table is replaced by one that no row has, so that pages answer as for a deleted row. A query
    that the database or a library's conversion refuses is answered 400. Errors that our own code raises stay errors.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(agency_zone()):  # Lists show times, and forms read them, by the agency's clock.
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if not request.path_info.startswith("/admin/"):
            return
        for name in {"object_id", "id"} & set(kwargs):
            field = _primary_key(request.resolver_match.route if request.resolver_match else "")
            if field is not None and not _is_possible(field, unquote(str(kwargs[name]))):
                kwargs[name] = next(text for kind, text in _NOBODYS if isinstance(field, kind))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        is_about_query = request.path_info.startswith("/admin/") and request.META.get("QUERY_STRING")
        is_refusal = isinstance(error, _REFUSALS) or (isinstance(error, _CONVERSIONS) and not _is_ours(error))
        if not is_about_query or not is_refusal:
            return None
        log.warning("query_refused", error=type(error).__name__, place=_place(error))
        return bad_request(request)


def _is_ours(error: BaseException) -> bool:
    """Return whether our own code raised an exception."""
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package == "ddc" or any(
        package == config.name and Path(config.path).parent == settings.BASE_DIR for config in apps.get_app_configs()
    )


def _place(error: BaseException) -> str:
    """Return where an exception was raised, without its text, which quotes the query."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _primary_key(route: str) -> Any:
    """Return the key field of the table that a page is about (``admin/collections/debt/<path:object_id>/change/``), or None."""
    _, app_label, model_name, *_ = [*route.split("/"), "", ""]
    try:
        key: Any = apps.get_model(app_label, model_name)._meta.pk
    except LookupError:
        return None
    while key.is_relation:
        key = key.target_field
    return key


def _is_possible(field: "models.Field[Any, Any]", text: str) -> bool:
    try:
        field.run_validators(field.to_python(text))
    except (ValidationError, ValueError, TypeError, OverflowError):
        return False
    return is_storable(text)
