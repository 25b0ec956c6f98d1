"""The address that a channel uses, and whether it may be used."""

from debtors import contact_points, phones
from debtors.channels import AddressKind, Channel
from debtors.models import Debtor


def address(debtor: Debtor, channel: str) -> str:
    """Return the normal form of the debtor's address for a channel, for comparisons; empty if there is none."""
    kind = Channel(channel).address_kind
    return (debtor.normal_email if kind == AddressKind.EMAIL else debtor.normal_phone) or ""


def recipient(debtor: Debtor, channel: str) -> str:
    """Return the address to which a channel's messages go; empty if there is none."""
    kind = Channel(channel).address_kind
    return (debtor.email or "") if kind == AddressKind.EMAIL else phones.dialled(debtor.mobile_phone or "")


def is_suppressed(debtor: Debtor, channel: str, *, new: str | None = None) -> bool:
    """Check whether the debtor's address for a channel, or a new one, is suppressed."""
    value = contact_points.normal_form(new) if new else address(debtor, channel)
    return bool(contact_points.suppressed({Channel(channel): {value}}))


def is_usable(channel: Channel) -> str:
    """Return an SQL condition on a message row ``log``: its debtor still has %(address)s, not suppressed or another person's.

    An address that the message is to prove is not the debtor's yet.
    ``usable_parameters`` returns its parameters.
    """
    column = "normal_email" if channel.address_kind == AddressKind.EMAIL else "normal_phone"
    return f"""
        (log.proves_address OR EXISTS (
            SELECT FROM debtor WHERE debtor.id = log.debtor_id AND debtor.{column} = %(address)s
        ))
        AND NOT EXISTS (
            SELECT FROM contact_point AS point
            WHERE point.kind = %(address_kind)s AND point.value = %(address)s
              AND (point.{contact_points.suppression_column(channel)}
                OR (point.is_another_persons AND point.debtor_id = log.debtor_id))
        )"""  # noqa: S608 - the names are literals


def usable_parameters(value: str, channel: Channel) -> dict[str, str]:
    """Return the parameters of ``is_usable``."""
    return {"address": contact_points.normal_form(value), "address_kind": channel.address_kind.value}
