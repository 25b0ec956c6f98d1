"""Pages of lists by page and limit, in the format of AdonisJS."""

import hashlib
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

Row = TypeVar("Row", bound=Model)

MAX_LIMIT = 1_000
DEFAULT_LIMIT = 20
#: Lists are counted exactly up to here. Counting a larger one takes longer than its page, so that count is cached.
EXACT_UP_TO = 10_000
LAG_SECONDS = 60
LARGEST_PAGE = 10**9


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows, with the links to the others."""

    rows: list[Row]
    meta: dict[str, Any]


@dataclass(frozen=True)
class PageSlice:
    """The part of a list that was requested."""

    number: int
    limit: int

    @classmethod
    def of(cls, params: QueryDict, *, default_limit: int = DEFAULT_LIMIT) -> "PageSlice":
        """Read ``page`` and ``limit``.

        :raises ValidationError: if one is not an integer or out of range
        """
        number = _integer(params, "page", default=1, most=LARGEST_PAGE)
        return cls(number, _integer(params, "limit", default=default_limit, most=MAX_LIMIT))

    @property
    def first(self) -> int:
        """The number of rows before it."""
        return (self.number - 1) * self.limit

    def meta(self, path: str, params: QueryDict, total: int) -> dict[str, Any]:
        """Return the position of this page in the list, and the links to others."""
        last = max(1, -(-total // self.limit))
        kept = urlencode([(key, value) for key, values in params.lists() for value in values if key != "page"])
        url = f"{path}?{kept}&page=" if kept else f"{path}?page="
        return {
            "total": total,
            "perPage": self.limit,
            "currentPage": self.number,
            "lastPage": last,
            "firstPage": 1,
            "firstPageUrl": f"{url}1",
            "lastPageUrl": f"{url}{last}",
            "nextPageUrl": f"{url}{self.number + 1}" if self.number < last else None,
            "previousPageUrl": f"{url}{self.number - 1}" if self.number > 1 else None,
        }


def page_of(queryset: QuerySet[Row], request: Request, *, default_limit: int = DEFAULT_LIMIT) -> Page[Row]:
    """Return the page of an ordered queryset that ``page`` and ``limit`` request.

    The ids of the page are found first, in the index; only its rows are then joined and annotated.

    :raises ValidationError: if a parameter is not an integer or out of range
    """
    part = PageSlice.of(request.query_params, default_limit=default_limit)
    total = _count(queryset)
    rows: list[Row] = []
    if part.first < total:
        bare = queryset.select_related(None).prefetch_related(None)
        ids = list(bare.values_list("pk", flat=True)[part.first : part.first + part.limit])
        found = {row.pk: row for row in queryset.filter(pk__in=ids).order_by()}
        rows = [found[pk] for pk in ids if pk in found]
    return Page(rows, part.meta(request.path, request.query_params, total))


def _count(queryset: QuerySet[Any]) -> int:
    bare = queryset.select_related(None).prefetch_related(None).order_by()
    total: int = bare[: EXACT_UP_TO + 1].count()
    if total <= EXACT_UP_TO:
        return total
    sql, params = bare.query.sql_with_params()
    key = "count:" + hashlib.sha256(repr((sql, params)).encode()).hexdigest()
    return int(cache.get_or_set(key, bare.count, LAG_SECONDS) or 0)


def _integer(params: QueryDict, name: str, *, default: int, most: int) -> int:
    given = params.get(name, "")
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 12:
        raise ValidationError({name: [ErrorDetail("This must be a whole number from 1.", "number")]})
    value = int(given)
    if not 1 <= value <= most:
        raise ValidationError({name: [ErrorDetail(f"This must be between 1 and {most}.", "range")]})
    return value
