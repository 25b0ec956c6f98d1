"""Receivers of Django's signals about sign-in."""

from typing import Any

from django.contrib.auth import user_logged_in
from django.dispatch import receiver
from django.utils.timezone import now

from agents import sign_in_limits
from agents.models import Agent
from ddc.common.callers import client_ip


@receiver(user_logged_in, dispatch_uid="agents.receivers.forgive_failures")
def forgive_failures(*, request: Any, user: Any, **_: Any) -> None:
    """Forgive the wrong passwords of someone who has signed in, with a second factor where there is one."""
    if isinstance(user, Agent) and request is not None:
        sign_in_limits.signed_in(user.username, client_ip=client_ip(request), now=now())
