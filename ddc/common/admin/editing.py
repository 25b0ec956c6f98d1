"""Back office pages that write through domain functions, and show a refusal at its field or as a message."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now

from ddc.common.admin.forms import DomainForm, add_refusal
from ddc.common.admin.pages import BackOffice
from ddc.common.errors import DomainError

#: The number of rows of one bulk action. Each row takes its own transaction, and the page waits for all of them.
MAX_ROWS = 500
_MAX_MESSAGES = 20


class DomainAdmin(BackOffice):
    """Pages that write through domain functions: a subclass calls those that create, amend and remove.

    A function runs once, in the request's transaction. If it refuses, the transaction is rolled back and the form is shown
    again with the refusal.
    """

    form = DomainForm
    actions: Sequence[str] = ("delete_selected",)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Any:
        """Create a row and return it."""
        raise NotImplementedError

    def amend(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> Any:
        """Change a row, of which ``changes`` has the changed fields only, and return it."""
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete a row."""
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
        """List the selected rows. Whether rows that refer to them stand in the way is up to ``remove``."""
        chosen = [str(obj) for obj in objs]
        return chosen, {str(self.opts.verbose_name_plural): len(chosen)}, set(), []

    # --- Actions

    def each(self, request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], object], *, done: str) -> None:
        """Call a domain function for each row, each in its own transaction, and show the number done and the refusals."""
        count, refusals = 0, []
        for row in rows:
            name = str(row)
            try:
                with transaction.atomic():
                    act(row)
                count += 1
            except DomainError as refusal:
                refusals.append(f"{name}: {refusal.message}")
        names = self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural
        if count:
            self.message_user(request, f"{count} {names} {done}.", messages.SUCCESS)
        for text in refusals[:_MAX_MESSAGES]:
            self.message_user(request, text, messages.ERROR)
        if len(refusals) > _MAX_MESSAGES:
            self.message_user(request, f"{len(refusals) - _MAX_MESSAGES} more were refused.", messages.ERROR)

    def too_many(self, request: HttpRequest, queryset: QuerySet[Any]) -> bool:
        """Return whether these are too many rows for one action, and show a message if so."""
        many = queryset[: MAX_ROWS + 1].count() > MAX_ROWS
        if many:
            self.message_user(request, f"Too many rows. Select {MAX_ROWS} at most.", messages.ERROR)
        return many

    def ask(
        self, request: HttpRequest, *, title: str, form: forms.Form, rows: Sequence[Any], button: str, action: str = ""
    ) -> TemplateResponse:
        """Show a form to fill in before an action on these rows; ``action`` is the name of a bulk action."""
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
        act: Callable[[Any, dict[str, Any]], object],
        *,
        title: str,
        button: str,
        done: str,
        history: str = "",
    ) -> HttpResponse:
        """Show a form, and call a domain function with its fields for one row; then show ``done``, unless it is empty.

        The history has the title, or ``history`` with the values of the form's fields put in by name.
        """
        obj = self.one(request, object_id)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    act(obj, form.cleaned_data)
                    self.log_change(request, obj, history.format(**form.cleaned_data) or title)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                if done:
                    self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(self.back_to(request) or self.page_of(object_id))
        return self.ask(request, title=title, form=form, rows=[obj], button=button)

    def step(
        self,
        request: HttpRequest,
        object_id: str,
        form: forms.Form | type[forms.Form],
        act: Callable[..., object],
        *,
        title: str,
        button: str,
        done: str = "Saved.",
    ) -> HttpResponse:
        """Show a form, and call a domain function with its fields, the agent and the time."""
        return self.do_to_one(
            request,
            object_id,
            form if isinstance(form, forms.Form) else form(request.POST if request.method == "POST" else None),
            lambda obj, fields: act(obj, **fields, by=request.user, now=now()),
            title=title,
            button=button,
            done=done,
        )

    def each_selected(
        self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[..., object], *, done: str
    ) -> None:
        """Call a domain function with the agent and the time for each selected row, unless there are too many."""
        if not self.too_many(request, queryset):
            self.each(request, queryset, lambda row: act(row, by=request.user, now=now()), done=done)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Return to the page from which the form was opened."""
        back = self.back_to(request)
        return HttpResponseRedirect(back) if back else super().response_post_save_add(request, obj)

    def back_to(self, request: HttpRequest) -> str:
        """Return the page of the back office that opened this one, from the query's ``back``; empty if there is none."""
        back = request.GET.get("back", "")
        is_ours = back.startswith(reverse("admin:index")) and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
        return back if is_ours else ""

    def one(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row of a page.

        :raises Http404: if there is none
        """
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return obj

    def page_of(self, object_id: object) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
