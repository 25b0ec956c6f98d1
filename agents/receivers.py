"""Receivers of Django's signals about sign-in."""

from typing import Any

from django.contrib.auth import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.utils.timezone import now

from agents import sessions, sign_in_limits
from agents.models import Agent
from ddc.common.callers import client_ip

#: The key of Django's session that holds the id of the row of ``StaffSession``.
SESSION_KEY = "staff_session"


@receiver(user_logged_in, dispatch_uid="agents.receivers.forgive_failures")
def forgive_failures(*, request: Any, user: Any, **_: Any) -> None:
    """Forgive the wrong passwords of someone who has signed in, with a second factor where there is one."""
    if isinstance(user, Agent) and request is not None:
        sign_in_limits.signed_in(user.username, client_ip=client_ip(request), now=now())


@receiver(user_logged_in)
def start_session(*, request: Any, user: Any, **_: Any) -> None:
    """Record a sign-in by a browser. A sign-in over the API has no session."""
    if isinstance(user, Agent) and getattr(request, "session", None) is not None:
        session = sessions.start(
            user, client_ip=client_ip(request), user_agent=request.META.get("HTTP_USER_AGENT", ""), now=now()
        )
        request.session[SESSION_KEY] = str(session.pk)


@receiver(user_logged_out)
def end_session(*, request: Any, user: Any, **_: Any) -> None:
    """Delete the row of a session that was signed out."""
    session_id = request.session.get(SESSION_KEY)
    if isinstance(user, Agent) and session_id:
        sessions.end(user, session_id)
