"""What is offered where one row refers to another: more than a number, so that the right one is chosen."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class _Choices(AutocompleteJsonView):
    """Django's own view, with the text that the other table's admin gives to a choice."""

    model_admin: Any

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        describe = getattr(self.model_admin, "option_label", str)
        return {"id": str(getattr(obj, to_field_name)), "text": describe(obj)}


def choices(request: HttpRequest) -> HttpResponseBase:
    """Answer what a field that searches as one types may hold."""
    return _Choices.as_view(admin_site=admin.site)(request)
