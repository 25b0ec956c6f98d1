"""The address to which a sign-in code goes: a mobile phone, or an e-mail address for debtors who get no text messages."""

from dataclasses import dataclass

from django.db.models import QuerySet

from debtors import contact_points, emails, phones
from debtors.channels import Channel
from debtors.models import Debtor


@dataclass(frozen=True)
class SignInAddress:
    """The normal form of a phone or an e-mail address, and the channel of its codes."""

    channel: Channel
    value: str

    def owners(self) -> QuerySet[Debtor]:
        """Return the debtor who has the address, if there is one."""
        column = "normal_email" if self.channel == Channel.EMAIL else "normal_phone"
        owners: QuerySet[Debtor] = Debtor.objects.filter(**{column: self.value})
        return owners


def parse(text: str) -> SignInAddress:
    """Read an address as people type it; a text with ``@`` is an e-mail address.

    :raises InvalidPhone: if it is no phone number
    :raises InvalidEmail: if it is no e-mail address
    """
    if "@" in text:
        value = emails.normal_form(text)
        emails.check(value, field="email")
        return SignInAddress(Channel.EMAIL, value)
    return SignInAddress(Channel.SMS, phones.normal_form(phones.as_typed(text)))


def is_current(debtor: Debtor, address: str) -> bool:
    """Return whether the debtor still has the address of a sign-in."""
    return contact_points.normal_form(address) in (debtor.normal_email, debtor.normal_phone)
