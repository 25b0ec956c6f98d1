"""Which channel uses which address, and whether it may: a thin layer over the contact points."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from communications.models import Channel, CommunicationLog
from debtors import contact_points
from debtors.models import ContactPoint, Debtor, Medium, StopReason

#: Whose refusal counts for which channel. A call script leads to a call.
MEDIUM = {
    Channel.EMAIL: Medium.EMAIL,
    Channel.SMS: Medium.SMS,
    Channel.VOICE: Medium.VOICE,
    Channel.CALL_SCRIPT: Medium.VOICE,
}
#: Why a message to such an address doesn't go, as its row says.
REASON = "suppressed: The address opted out, or does not work."
suppressed = contact_points.suppressed


def is_suppressed(debtor: Debtor, channel: str) -> bool:
    """Tell whether the address by which a channel reaches the debtor must not be used."""
    medium, value = MEDIUM[Channel(channel)], address(debtor, channel)
    return (medium, value) in suppressed({medium: {value}})


def address(debtor: Debtor, channel: str) -> str:
    """Return where the channel reaches the debtor, in the form that contact points have it; empty where it doesn't."""
    return (debtor.email or "").strip().lower() if channel == Channel.EMAIL else (debtor.mobile_phone or "")


def address_of(log: CommunicationLog) -> str:
    """Return where a message goes, in that same form: what confirms an opt-out goes to where it came from."""
    if log.confirms_opt_out:
        return log.address or ""
    return address(log.debtor, log.communication_type) if log.debtor else ""


def suppress(address: str, *, medium: Medium, reason: StopReason, source: str, now: datetime) -> bool:
    """Use an address no more; True if that is news. It counts at once for what is queued, and for open call tasks."""
    return contact_points.suppress(address, medium=medium, reason=reason, how=source, now=now)


def lift(address: str, *, medium: Medium, source: str, now: datetime) -> bool:
    """Take back an opt-out at its owner's word; True if there was one. A bounce is not theirs to lift."""
    return contact_points.opt_in(address, medium=medium, how=source, now=now)


def standing(value: str, *, channel: str) -> Exists:
    """Return a condition for SQL: the address is one that this channel must not use, as of that very statement."""
    medium = MEDIUM[Channel(channel)]
    value = value.strip().lower() if medium == Medium.EMAIL else value
    points = ContactPoint.objects.filter(kind=contact_points.kind_of(medium), value=value)
    return Exists(points.stopped(medium))


def address_is(log_address: str, *, channel: str) -> Exists:
    """Return a condition for SQL: the message's debtor still has this address."""
    field = "email" if channel == Channel.EMAIL else "mobile_phone"
    return Exists(Debtor.objects.filter(pk=OuterRef("debtor_id"), **{field: log_address}))
