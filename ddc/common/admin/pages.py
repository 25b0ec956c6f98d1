"""The back office's pages over the rules: what a rule refuses shows at its field, or as a message per row."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from ddc.common import money
from ddc.common.admin.forms import (
    DecimalField,
    LanguageField,
    ReferenceField,
    RuleForm,
    add_refusal,
    country_field,
    currency_field,
)
from ddc.common.errors import DomainError

#: How many rows one bulk action takes: each goes through its rule on its own, and somebody waits for the page.
MOST_AT_ONCE = 500
_MOST_MESSAGES = 20

#: The smallest amount that any currency has; for ``bounds`` of what must be more than 0.
SMALLEST = Decimal("0.0001")


def amount(value: Decimal | None, currency: str | None) -> str:
    """Write an amount with its currency's decimals; ``-`` where there is none."""
    if value is None or currency is None:
        return "-"
    return f"{money.text(value, currency)} {currency}"


def unbroken(text: object) -> SafeString:
    """Keep a reference or an amount on one line of a list."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


class _Page(ChangeList):
    """A page of rows, with what the admin looks up for the whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)  # type: ignore[has-type]
        self.model_admin.annotate_rows(self.result_list)


class BackOffice(ModelAdmin):
    """What all pages share: lists that stay quick in a large table, and fields that take what the API takes."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    list_filter_submit = True
    #: Only so that there is a box; ``search_filter`` says what it finds.
    search_fields: Sequence[str] = ()
    #: The least and the most of a number, by the form field's name.
    bounds: dict[str, tuple[Decimal | int | None, Decimal | int | None]] = {}
    change_form_before_template = "admin/hidden_fields.html"
    change_form_outer_after_template = "admin/listings.html"

    def annotate_rows(self, rows: list[Any]) -> None:
        """Look up what a page's rows show beside themselves, in a number of queries that doesn't depend on theirs."""

    def option_label(self, obj: Any) -> str:
        """Describe a row to who has to choose one."""
        return str(obj)

    def listings(self, request: HttpRequest, obj: Any) -> Iterable[Any]:
        """Return what the page of one row shows of other tables (see ``admin_listings``)."""
        return ()

    def search_filter(self, text: str) -> Q:
        """Return what the search box finds."""
        raise NotImplementedError

    def id_filter(self, key: uuid.UUID) -> Q:
        """Return what the search box finds where somebody puts an id into it."""
        return Q(pk=key)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.replace("\0", "").strip()
        if not words or not self.search_fields:
            return queryset, False
        try:
            return queryset.filter(self.id_filter(uuid.UUID(words))), False
        except ValueError:
            return queryset.filter(self.search_filter(words)), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _Page

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
    """Pages to look at only: rules and workers write these rows."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        lines = self.fields or [field.name for field in self.opts.concrete_fields]
        shown = [name for line in lines for name in ((line,) if isinstance(line, str) else line)]
        return [*self.readonly_fields, *shown]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RuledAdmin(BackOffice):
    """Pages that write through rules: each app's admin says which rule creates, amends and removes.

    A rule runs once, in the request's transaction. Where it refuses, the transaction is gone, and the same form is shown
    again with the refusal in it.
    """

    form = RuleForm
    actions: Sequence[str] = ("delete_selected",)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Any:
        """Call the rule that makes a row, and return that."""
        raise NotImplementedError

    def amend(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> Any:
        """Call the rule that changes a row (``changes`` has what was changed alone), and return it."""
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Call the rule that deletes a row."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[forms.Form]:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form  # type: ignore[no-any-return]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        fields = dict(form.cleaned_data)
        condition = {"if_unchanged_since": fields.pop("if_unchanged_since")} if "if_unchanged_since" in fields else {}
        changes = {name: value for name, value in fields.items() if name in form.changed_data}
        if not change:
            made = self.create(request, fields)
        elif changes:
            made = self.amend(request, obj, changes | condition)
        else:
            return
        obj.__dict__.update(made.__dict__)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(self.page_of(object_id))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def remove(obj: Any) -> None:
            self.log_deletions(request, [obj])
            self.remove(request, obj)

        self.each(request, queryset, remove, done="deleted")

    @admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if self.too_many(request, queryset):
            return None
        if not request.POST.get("post"):
            return delete_selected(self, request, queryset)
        self.delete_queryset(request, queryset)
        return None

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Show what was chosen. What hangs on it is for the rule to look at, which keeps it or goes with it."""
        chosen = [str(obj) for obj in objs]
        return chosen, {str(self.opts.verbose_name_plural): len(chosen)}, set(), []

    # --- Actions

    def each(self, request: HttpRequest, rows: Iterable[Any], rule: Callable[[Any], object], *, done: str) -> None:
        """Call a rule for each row, each in a transaction of its own; tell how many went through, and each refusal."""
        count, refusals = 0, []
        for row in rows:
            name = str(row)
            try:
                with transaction.atomic():
                    rule(row)
                count += 1
            except DomainError as refusal:
                refusals.append(f"{name}: {refusal.message}")
        names = self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural
        if count:
            self.message_user(request, f"{count} {names} {done}.", messages.SUCCESS)
        for refusal_text in refusals[:_MOST_MESSAGES]:
            self.message_user(request, refusal_text, messages.ERROR)
        if len(refusals) > _MOST_MESSAGES:
            self.message_user(request, f"{len(refusals) - _MOST_MESSAGES} more were refused.", messages.ERROR)

    def too_many(self, request: HttpRequest, queryset: QuerySet[Any]) -> bool:
        """Tell, and say so, whether this is more than one action takes."""
        many = queryset[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE
        if many:
            self.message_user(request, f"Choose {MOST_AT_ONCE} at most.", messages.ERROR)
        return many

    def ask(
        self, request: HttpRequest, *, title: str, form: forms.Form, rows: Sequence[Any], button: str, action: str = ""
    ) -> TemplateResponse:
        """Show a form that has to be filled in before something is done to these rows; ``action`` names a bulk one."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "rows": rows,
            "button": button,
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def do_to_one(
        self,
        request: HttpRequest,
        object_id: str,
        form: forms.Form,
        rule: Callable[[Any, dict[str, Any]], object],
        *,
        title: str,
        button: str,
        done: str,
    ) -> HttpResponse:
        """Ask for a form's fields, and call a rule for one row with them; ``done`` is said then, unless it is empty."""
        obj = self.one(request, object_id)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    rule(obj, form.cleaned_data)
                    self.log_change(request, obj, title)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                if done:
                    self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(self.page_of(object_id))
        return self.ask(request, title=title, form=form, rows=[obj], button=button)

    def one(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that a page is about.

        :raises Http404: if it is gone
        """
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj

    def page_of(self, object_id: object) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
