"""The list of addresses that are written to no more: who gets on it, and who off."""

from communications.models import Channel
from debtors.models import Debtor, Suppression

#: Whose refusal counts for which channel. A call script leads to a call.
MEDIUM = {
    Channel.EMAIL: Suppression.Medium.EMAIL,
    Channel.SMS: Suppression.Medium.SMS,
    Channel.VOICE: Suppression.Medium.VOICE,
    Channel.CALL_SCRIPT: Suppression.Medium.VOICE,
}
_SOURCE_LENGTH = 255


def address(debtor: Debtor, channel: str) -> str:
    """Return where the channel reaches the debtor, in the form that the list has it; empty where it doesn't."""
    return (debtor.email or "").strip().lower() if channel == Channel.EMAIL else (debtor.mobile_phone or "")


def suppress(address: str, *, medium: Suppression.Medium, reason: Suppression.Reason, source: str) -> None:
    """Put an address on the list; one that is on it stays for its first reason, unless its owner now opts out."""
    values = {"reason": reason, "source": source[:_SOURCE_LENGTH]}
    entry, added = Suppression.objects.get_or_create(medium=medium, address=address.strip().lower(), defaults=values)
    if not added and reason == Suppression.Reason.OPTED_OUT and entry.reason != reason:
        entry.reason, entry.source = Suppression.Reason(reason), source[:_SOURCE_LENGTH]
        entry.save(update_fields=["reason", "source", "updated_at"])


def lift(address: str, *, medium: Suppression.Medium) -> None:
    """Take an address off the list that its owner had put on it. A bounce is not theirs to lift."""
    Suppression.objects.filter(
        medium=medium, address=address.strip().lower(), reason=Suppression.Reason.OPTED_OUT
    ).delete()


def suppressed(addresses: dict[Suppression.Medium, set[str]]) -> set[tuple[str, str]]:
    """Return which of these are on the list, as (medium, address), in one query for all."""
    everything = {address for some in addresses.values() for address in some}
    found = Suppression.objects.filter(address__in=everything).values_list("medium", "address")
    return set(found)
