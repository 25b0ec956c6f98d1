"""A sign-in with the right password, of which the second factor is still missing.

It is kept in Django's session. Until it is finished nobody is signed in, so every page of the back office stays closed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from agents import sessions
from agents.models import Agent
from agents.receivers import SESSION_KEY

_KEY = "pending_sign_in"
LIFETIME = timedelta(minutes=10)
#: Wrong codes until the password is asked for again. The pauses of ``second_factor`` count over all sign-ins.
MAX_TRIES = 5


@dataclass(frozen=True)
class Pending:
    """The agent who entered a password, and the page to show after the sign-in."""

    agent: Agent
    next_page: str


def begin(request: HttpRequest, agent: Any, *, next_page: str, now: datetime) -> None:
    """Remember that the agent entered the right password."""
    request.session.cycle_key()
    request.session[_KEY] = {
        "agent": str(agent.pk),
        "backend": agent.backend,
        "password": agent.get_session_auth_hash(),
        "next_page": next_page,
        "at": now.timestamp(),
        "tries": 0,
    }


def get(request: HttpRequest, *, now: datetime) -> Pending | None:
    """Return the pending sign-in; None without one, after ten minutes, or if the agent may no longer sign in."""
    kept = request.session.get(_KEY)
    if not kept or now.timestamp() - kept["at"] > LIFETIME.total_seconds():
        return None
    agent = Agent.objects.filter(pk=kept["agent"], is_active=True, is_staff=True).first()
    if agent is None or not constant_time_compare(kept["password"], agent.get_session_auth_hash()):
        return None
    return Pending(agent, kept["next_page"])


def count_wrong_code(request: HttpRequest) -> bool:
    """Count a wrong code; return whether it was the last one, after which the sign-in begins again."""
    kept = request.session[_KEY]
    kept["tries"] += 1
    request.session.modified = True
    if kept["tries"] >= MAX_TRIES:
        del request.session[_KEY]
        return True
    return False


def finish(request: HttpRequest, agent: Agent) -> None:
    """Sign the agent in, with the second factor passed."""
    kept = request.session.pop(_KEY)
    login(request, agent, backend=kept["backend"])
    sessions.pass_second_factor(agent, request.session[SESSION_KEY])
