"""The address to which a sign-in code goes: a mobile phone, or an e-mail address for debtors who get no text messages."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Lower

from debtors import emails, phones
from debtors.channels import Channel
from debtors.models import Debtor


@dataclass(frozen=True)
class SignInAddress:
    """A phone or an e-mail address: ``value`` is the form that is compared, ``as_given`` a phone as its owner spells it."""

    channel: Channel
    value: str
    as_given: str

    def owners(self) -> QuerySet[Debtor]:
        """Return the debtors who have the address, the oldest first; there is one at most, unless its spellings differ."""
        if self.channel == Channel.EMAIL:
            found = Debtor.objects.alias(_email=Lower("email")).filter(_email=self.value)
        else:
            found = Debtor.objects.filter(mobile_phone__in={self.value, self.as_given})
        return found.order_by("created_at")


def parse(text: str) -> SignInAddress:
    """Read an address as people type it; a text with ``@`` is an e-mail address.

    :raises InvalidPhone: if it is no phone number
    :raises InvalidEmail: if it is no e-mail address
    """
    if "@" in text:
        value = emails.normal_form(text)
        emails.check(value, field="email")
        return SignInAddress(Channel.EMAIL, value, value)
    given = phones.as_typed(text)
    return SignInAddress(Channel.SMS, phones.normal_form(given), given)


def is_current(debtor: Debtor, address: str) -> bool:
    """Return whether the debtor still has the address of a sign-in."""
    if "@" in address:
        return emails.normal_form(debtor.email) == address
    return phones.normal_form(debtor.mobile_phone or "") == address
