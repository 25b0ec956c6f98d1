"""Back office pages that show rows, with lists that stay fast for large tables."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import F, OrderBy, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from ddc.common import money
from ddc.common.admin import windows
from ddc.common.admin.forms import DecimalField, LanguageField, ReferenceField, country_field, currency_field
from ddc.common.days import agency_zone

#: The smallest amount of any currency; for ``bounds`` of amounts that have to be more than 0.
SMALLEST = Decimal("0.0001")
#: A list shows so many rows at most: counting all of a large table takes seconds. Filters and the search find the others.
MAX_ROWS = 10_000


def amount(value: Decimal | None, currency: str | None) -> str:
    """Write an amount with its currency's decimals and thousands separators, or ``-`` if there is none."""
    if value is None or currency is None:
        return "-"
    return f"{Decimal(money.text(value, currency)):,} {currency}"


def when(at: datetime | None, *, seconds: bool = False) -> str:
    """Write a time by the agency's clock as columns of times have it, or ``-`` if there is none."""
    if at is None:
        return "-"
    local = at.astimezone(agency_zone())
    return date_format(local, "DATETIME_FORMAT") + (f":{local:%S}" if seconds else "")


def unbroken(text: object) -> SafeString:
    """Keep a reference or an amount on one line of a list."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def column(description: str, value: Callable[[Any], object], *, ordering: str | None = None) -> Callable[..., object]:
    """Return a column of a list or a line of a page: a value computed from the row."""
    return admin.display(description=description, ordering=ordering)(lambda _page, row: value(row))


def _sorted_after(found: QuerySet[Any]) -> QuerySet[Any]:
    """Sort the found rows by expressions, which no index has.

    Else PostgreSQL may read the table in the order of an index until it has met enough of them, however old they are.
    """
    ordering = found.query.order_by or found.model._meta.ordering
    return found.order_by(*(_expression(by) if isinstance(by, str) else by for by in ordering))


def _expression(by: str) -> OrderBy:
    name = by.removeprefix("-")
    return OrderBy(Coalesce(F(name), F(name)), descending=by != name)


class _RowsPage(ChangeList):
    """A page of rows with the annotations of its admin."""

    #: Only the newest rows are shown: see ``windows.py``.
    is_window = False

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        if getattr(request, "reads_all_rows", False):
            return found
        found, self.is_window = windows.newest(self, request, found)
        return _sorted_after(found) if self.is_window else found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)  # type: ignore[has-type]
        self.model_admin.annotate_rows(self.result_list)
        self.is_cut = self.result_count >= MAX_ROWS
        permission, url, label = self.model_admin.empty_link
        self.empty_link = (reverse(url), label) if url and request.user.has_perm(permission) else None
        self.export_url = ""
        if self.result_count and not self.is_popup and request.user.has_perm("audit.export_lists"):
            page = reverse("export_changelist", args=[self.opts.app_label, self.opts.model_name])
            self.export_url = f"{page}{self.get_query_string(remove=[PAGE_VAR])}"


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a list of any size: rows are counted, and shown, up to ``MAX_ROWS``."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by().select_related(None).values("pk")[:MAX_ROWS].count()
        return counted

    def _get_page(self, rows: Any, *args: Any, **kwargs: Any) -> Any:
        """Find the ids of the page first, and join only its rows with other tables."""
        ids = list(rows.select_related(None).values_list("pk", flat=True))
        return super()._get_page(self.object_list.filter(pk__in=ids), *args, **kwargs)  # type: ignore[misc, attr-defined]


class BackOffice(ModelAdmin):
    """The base of all pages. Its fields accept what the API accepts."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 50
    list_filter_submit = True
    #: Only to show the search box; ``search_filter`` defines what it finds.
    search_fields: Sequence[str] = ()
    #: The minimum and maximum of a number, by the name of its form field.
    bounds: dict[str, tuple[Decimal | int | None, Decimal | int | None]] = {}
    #: Where the rows of an empty list come from; and the permission, URL name and label of a page that adds some, for who has it.
    empty_text = ""
    empty_link = ("", "", "")
    change_form_before_template = "admin/hidden_fields.html"
    change_form_outer_after_template = "admin/listings.html"

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        columns = list(super().get_sortable_by(request))
        if self.opts.db_table not in windows.LARGE:
            return columns
        return [name for name in columns if not self._sorts_by_relation(name)]

    def _sorts_by_relation(self, name: str) -> bool:
        order = getattr(getattr(self, name, None), "admin_order_field", name)
        field = next((field for field in self.opts.concrete_fields if field.name == order), None)
        return not isinstance(order, str) or "__" in order or bool(field and field.is_relation)

    def annotate_rows(self, rows: list[Any]) -> None:
        """Load additional values of a page's rows, in a fixed number of queries."""

    def option_label(self, obj: Any) -> str:
        """Return the label of a row in a search field that refers to it."""
        return str(obj)

    def listings(self, request: HttpRequest, obj: Any) -> Iterable[Any]:
        """Return the related rows to show below a row (see ``listings.py``)."""
        return ()

    def search_filter(self, text: str) -> Q:
        """Return the condition of the rows that the search box finds."""
        raise NotImplementedError

    def id_filter(self, key: uuid.UUID) -> Q:
        """Return the condition of the rows that the search box finds by an id."""
        return Q(pk=key)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.replace("\0", "").strip()
        if not text or not self.search_fields:
            return queryset, False
        try:
            return queryset.filter(self.id_filter(uuid.UUID(text))), False
        except ValueError:
            return _sorted_after(queryset.filter(self.search_filter(text))), False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the values of the query that fill in a new row, without times that are none: their widgets fail on text."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        for field in self.opts.fields:
            if isinstance(field, models.DateTimeField) and field.name in initial:
                try:
                    initial[field.name] = field.to_python(initial[field.name])
                except ValidationError:
                    del initial[field.name]
        return initial

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _RowsPage

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        return super().render_change_form(
            request, {**context, "listings": self.listings(request, obj) if obj else ()}, *args, **kwargs
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        optional = db_field.null or db_field.blank or db_field.has_default()
        labels = {"label": str(db_field.verbose_name).capitalize(), "help_text": db_field.help_text}
        if db_field.name == "currency_code":
            default = db_field.get_default() or None
            return currency_field(required=not optional, initial=default, **labels)
        if db_field.name == "country_code":
            return country_field(required=not optional, **labels)
        if db_field.name in ("language", "language_preference"):
            kwargs["form_class"] = LanguageField
        if isinstance(db_field, models.DecimalField):
            kwargs["form_class"] = DecimalField
            kwargs["min_value"] = 0
        if isinstance(db_field, models.ForeignKey):
            kwargs["form_class"] = ReferenceField
        if db_field.name in self.bounds:
            kwargs["min_value"], kwargs["max_value"] = self.bounds[db_field.name]
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class ReadOnlyAdmin(BackOffice):
    """Pages of rows that workers write and nothing edits."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return [*self.readonly_fields, *flatten(self.fields or [field.name for field in self.opts.concrete_fields])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _OptionsView(AutocompleteJsonView):
    """Django's view of the options of a search field, with the labels of the referenced table's admin."""

    model_admin: Any

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        label = getattr(self.model_admin, "option_label", str)
        return {"id": str(getattr(obj, to_field_name)), "text": label(obj)}


def options(request: HttpRequest) -> HttpResponseBase:
    """Answer the options of a field that searches another table."""
    return _OptionsView.as_view(admin_site=admin.site)(request)
