"""Middleware of the back office: a session counts only while its row of ``StaffSession`` is open."""

from typing import Any

from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import now

from agents import sessions
from agents.models import Agent
from agents.receivers import SESSION_KEY
from ddc.common.middleware import Handler


class StaffSessions:
    """Treat the caller as anonymous when the session has ended. It comes after Django's AuthenticationMiddleware."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _user(request))  # type: ignore[assignment]
        return self.get_response(request)


def _user(request: HttpRequest) -> Any:
    user = get_user(request)
    if not isinstance(user, Agent) or sessions.is_open(user, request.session.get(SESSION_KEY), now=now()):
        return user
    request.session.flush()
    return AnonymousUser()
