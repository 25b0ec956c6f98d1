"""Signed links: each leads one debtor from a message to one page, after the second question."""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.urls import reverse

from communications.links import portal_link
from ddc.common.postgresql.batches import delete_in_batches
from debtors.models import Debtor
from portal import addresses
from portal.models import SignedLink

#: Random bytes of a token: 128 bits.
_BYTES = 16
LIFETIME = portal_link.LIFETIME


class Purpose(StrEnum):
    """The one use of a link. A link of one purpose is no link for any other."""

    HOME = "home"
    MORE_TIME = "more_time"
    PLAN = "plan"
    PAY = "pay"


#: The page that a link leads to, by purpose: the name of its route, and whether the route takes the subject's id.
PAGES: Mapping[str, tuple[str, bool]] = {
    Purpose.HOME: ("portal", False),
    Purpose.MORE_TIME: ("portal-more-time", True),
    Purpose.PLAN: ("portal-plan", True),
    Purpose.PAY: ("portal-pay-request", True),
}


def create(
    debtor: Debtor, purpose: str, *, subject: uuid.UUID | None = None, expires_at: datetime | None = None, now: datetime
) -> str:
    """Store a link and return its address. Only the address has the token; the database has a hash of it.

    :param purpose: a key of ``PAGES``
    :param subject: the id of the debt or arrangement that the page is about, where the page needs one
    :param expires_at: 30 days from now by default
    """
    token = secrets.token_urlsafe(_BYTES)
    SignedLink.objects.create(
        debtor=debtor,
        purpose=purpose,
        subject=subject,
        token_hash=_hash(token),
        expires_at=expires_at or now + LIFETIME,
        created_at=now,
    )
    return address(token)


def address(token: str) -> str:
    """Return the address that opens a link."""
    return f"{settings.PUBLIC_URL}{reverse('portal-link', args=[token])}"


def find(token: str, *, purposes: frozenset[str] | None = None, now: datetime) -> SignedLink | None:
    """Return a link that can still be used; None for one that is unknown, expired or ended. It is not used up by this.

    :param purposes: the purposes that the caller serves; None: all of ``PAGES``
    """
    of_message = portal_link.message_of(token, now=now)
    if of_message and of_message.debtor and addresses.is_current(of_message.debtor, of_message.address or ""):
        # A link of a message is stored, as a hash, when it is opened first: millions never are.
        values = {"debtor": of_message.debtor, "purpose": Purpose.HOME, "expires_at": of_message.created_at + LIFETIME}
        SignedLink.objects.get_or_create(token_hash=_hash(token), defaults=values)
    found = SignedLink.objects.select_related("debtor").filter(token_hash=_hash(token), expires_at__gt=now)
    return found.filter(purpose__in=purposes or PAGES.keys(), ended_at__isnull=True).first()


def page_of(link: SignedLink) -> str:
    """Return the path of the page that a link leads to."""
    name, takes_subject = PAGES[link.purpose]
    return reverse(name, args=[link.subject] if takes_subject else [])


def delete_expired(*, now: datetime) -> int:
    """Delete links that have expired. Return their number."""
    return delete_in_batches(SignedLink.objects.filter(expires_at__lt=now))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
