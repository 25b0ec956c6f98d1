"""Pages of rows that are entered in the back office and then moved on, step by step, by rules."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from ddc.common.admin.pages import RuledAdmin


class SteppedAdmin(RuledAdmin):
    """A row is read-only once it is there: its actions are its changes, each offered while it is the next step."""

    #: What the form that enters a row asks for, and what its page shows.
    entered: Any = ()
    fieldsets: Any = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else ((None, {"fields": self.entered}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        lines = [line for _, group in self.fieldsets for line in group["fields"]]
        return tuple(name for line in lines for name in ((line,) if isinstance(line, str) else line))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def step(
        self,
        request: HttpRequest,
        object_id: str,
        form: type[forms.Form],
        rule: Callable[..., object],
        *,
        title: str,
        button: str,
        done: str = "It is kept.",
    ) -> HttpResponse:
        """Ask for what a rule has to know, and call it."""
        return self.do_to_one(
            request,
            object_id,
            form(request.POST if request.method == "POST" else None),
            lambda obj, fields: rule(obj, **fields, by=request.user, now=now()),
            title=title,
            button=button,
            done=done,
        )
