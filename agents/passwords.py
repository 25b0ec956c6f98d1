"""Links by which staff set a password: after "Forgotten your password?", and as an invitation.

A page only stores the request, equally fast for any address; a worker sends the mail. The link is signed, works once and
for a day (``PASSWORD_RESET_TIMEOUT``).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from agency import profile
from agents.models import Agent, PasswordLink
from ddc.common import rate_limits
from ddc.common.postgresql.batches import delete_in_batches
from ddc.common.process.wake import wake_worker
from ddc.common.rate_limits import RateLimit

log = structlog.get_logger(__name__)

#: Requests for one address of mail, and from one client.
PER_EMAIL = RateLimit(3, timedelta(hours=1))
PER_CLIENT = RateLimit(10, timedelta(hours=1))
#: A mail that fails is tried again with each tick, so often and for so long.
_ATTEMPTS, _WORTH_SENDING = 5, timedelta(hours=1)
_BATCH = 20
_TASK = "agents.tasks.send_password_links"


@transaction.atomic
def request_link(email: str, *, client_ip: str, now: datetime) -> None:
    """Ask for a link, whether or not an account has the address.

    :raises TooMany: if it was asked for too often for this address or by this client
    """
    # In this order everywhere, so that two requests never wait for each other in a circle.
    rate_limits.serialize("password link of", client_ip)
    rate_limits.serialize("password link to", email.lower())
    entered = PasswordLink.objects.filter(agent=None)
    limits = ((entered.filter(client_ip=client_ip), PER_CLIENT), (entered.filter(email__iexact=email), PER_EMAIL))
    rate_limits.consume(limits, now=now)
    PasswordLink.objects.create(email=email, client_ip=client_ip, created_at=now)
    wake_worker(_TASK)


def invite(agent: Agent, *, now: datetime) -> None:
    """Send the agent a link to set a password."""
    PasswordLink.objects.create(agent=agent, email=agent.email, created_at=now)
    wake_worker(_TASK)


def send_links(*, now: datetime) -> int:
    """Send the mails that wait; return the number of requests that were handled.

    A request is taken before its mail is sent: a worker that dies in between sends none, and the person asks again.
    """
    waiting = PasswordLink.objects.filter(handled_at=None, attempts__lt=_ATTEMPTS, created_at__gt=now - _WORTH_SENDING)
    count = 0
    for request in waiting.order_by("created_at")[:_BATCH]:
        if PasswordLink.objects.filter(pk=request.pk, handled_at=None).update(handled_at=now, updated_at=now):
            count += _send(request)
    return count


def url(agent: Agent) -> str:
    """Return a new link by which the agent sets a password."""
    uid = urlsafe_base64_encode(force_bytes(agent.pk))
    return settings.PUBLIC_URL + reverse("password_link", args=[uid, default_token_generator.make_token(agent)])


def receivers(request: PasswordLink) -> Iterable[Agent]:
    """Return the accounts that a request is about: at most one, or none."""
    active = Agent.objects.filter(is_active=True, is_staff=True)
    return active.filter(pk=request.agent_id) if request.agent_id else active.filter(email__iexact=request.email)


def delete_old(*, now: datetime) -> None:
    """Delete the requests that no limit counts any more."""
    delete_in_batches(PasswordLink.objects.filter(created_at__lt=now - timedelta(days=1)))


def _send(request: PasswordLink) -> bool:
    try:
        for agent in receivers(request):
            mail(agent, is_invitation=bool(request.agent_id)).send()
    except Exception as error:  # Each mail provider raises its own.
        log.warning("password_link_failed", error=type(error).__name__)
        failed = PasswordLink.objects.filter(pk=request.pk)
        failed.update(handled_at=None, attempts=F("attempts") + 1)
        return False
    return True


def mail(agent: Agent, *, is_invitation: bool) -> EmailMessage:
    """Return the mail with a link for the agent."""
    context = {
        "agent": agent,
        "agency": profile.current().name,
        "url": url(agent),
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    kind = "invitation" if is_invitation else "reset"
    subject = f"Your account at {profile.current().name}" if is_invitation else "Set a new password"
    return EmailMessage(subject, render_to_string(f"agents/password_{kind}.txt", context), to=[agent.email])
