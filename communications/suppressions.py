"""Which channel uses which address, and whether it may: a thin layer over the contact points."""

from datetime import datetime

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


def is_usable(channel: Channel) -> str:
    """Return a condition for SQL on a row ``log``, as of that very statement: the channel may use %(address)s, and the message's
    debtor has it still. ``usable_parameters`` makes its parameters.
    """
    field = "email" if channel == Channel.EMAIL else "mobile_phone"
    stopped = "calls_stopped" if MEDIUM[channel] == Medium.VOICE else "messages_stopped"
    return f"""
        EXISTS (SELECT FROM debtor WHERE debtor.id = log.debtor_id AND debtor.{field} = %(address)s)
        AND NOT EXISTS (
            SELECT FROM contact_point AS point
            WHERE point.kind = %(address_kind)s AND point.value = %(address_value)s AND point.{stopped}
        )"""  # noqa: S608 - both names are one of two literals


def usable_parameters(value: str, channel: Channel) -> dict[str, str]:
    """Return the parameters of ``is_usable``."""
    kind = contact_points.kind_of(MEDIUM[channel])
    form = value.strip().lower() if kind == ContactPoint.Kind.EMAIL else value
    return {"address": value, "address_kind": kind.value, "address_value": form}
