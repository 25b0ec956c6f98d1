"""Permissions of the API. By default, an endpoint is for staff with the model's permission."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

_ACTIONS = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "delete",
}


class StaffPermission(BasePermission):
    """Allow staff with the view's permission for the action, or else with the model's permission for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user and user.is_authenticated and getattr(user, "is_staff", False)):
            return False
        named: dict[str, str] = getattr(view, "required_permissions", {})
        if view.action is None:
            return True  # The view does not have this method and answers 405.
        needed = named.get(view.action) or _of_model(view, request.method or "GET")
        return needed is None or bool(user.has_perm(needed))


def _of_model(view: Any, method: str) -> str | None:
    queryset = getattr(view, "queryset", None)
    if queryset is None:
        return None
    meta = queryset.model._meta
    return f"{meta.app_label}.{_ACTIONS[method]}_{meta.model_name}"
