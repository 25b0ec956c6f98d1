"""Bank transfers: to which account, with which reference, and the QR code from which a banking app fills them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathImage

from ddc.common import money
from ddc.common.errors import DomainError
from payments import bank_accounts, creditor_references
from payments.models import BankAccount
from payments.payable import Payable

#: EPC069-12, version 002: the longest payload, and the largest symbol that banking apps read.
_MOST_BYTES, _LARGEST_SYMBOL = 331, 13
_MOST_EUR = Decimal("999999999.99")
#: So many references of 17 characters and a space fit into 140 characters.
_MOST_DEBTS = 7


class NoAccount(DomainError):
    message = "There is no bank account in the currency of this debt. Propose one in the back office."


@dataclass(frozen=True)
class Transfer:
    """One transfer to one account, for debts of one creditor.

    ``reference`` is the structured reference of a single debt; ``text`` has those of several, and is empty otherwise.
    """

    account: BankAccount
    amount: Decimal
    currency: str
    debts: Sequence[Payable]
    reference: str
    text: str

    @property
    def shown_reference(self) -> str:
        return creditor_references.spaced(self.reference) if self.reference else self.text

    @property
    def payload(self) -> str:
        """The content of the QR code; empty where there is no such code: it is for euros only."""
        return epc_payload(self) if self.currency == "EUR" and self.amount <= _MOST_EUR else ""

    @property
    def payload_or_none(self) -> str | None:
        return self.payload or None


def of(payables: Sequence[Payable], amount: Decimal) -> list[Transfer]:
    """Return the transfers that pay an amount on debts in their order; none for a creditor without an account."""
    parts, left = [], amount
    for one in payables:
        part = min(left, one.payoff)
        if part > 0:
            parts.append((one, part))
        left -= part
    found = []
    for _, each in groupby(sorted(parts, key=_creditor), key=_creditor):
        group = list(each)
        for start in range(0, len(group), _MOST_DEBTS):
            found += _transfer(group[start : start + _MOST_DEBTS])
    return found


def _creditor(part: tuple[Payable, Decimal]) -> str:
    return str(part[0].debt.creditor_id)


def _transfer(parts: Sequence[tuple[Payable, Decimal]]) -> list[Transfer]:
    debts = [one.debt for one, _ in parts]
    currency = debts[0].currency_code
    account = bank_accounts.for_creditor(debts[0].creditor, currency)
    if account is None:
        return []
    references = creditor_references.of(debts)
    named = [references[debt.pk] for debt in debts]
    is_one = len(named) == 1
    amount = money.rounded(sum((part for _, part in parts), Decimal(0)), currency)
    payables = [one for one, _ in parts]
    return [
        Transfer(account, amount, currency, payables, named[0] if is_one else "", "" if is_one else " ".join(named))
    ]


def epc_payload(transfer: Transfer) -> str:
    """Return the text of the QR code by EPC069-12: its elements by line, without empty ones at the end."""
    account = transfer.account
    elements = [
        "BCD",
        "002",
        "1",  # UTF-8
        "SCT",
        account.bic,
        account.holder,
        account.iban,
        f"EUR{transfer.amount:.2f}",
        "",  # Purpose
        transfer.reference,
        transfer.text,
    ]
    return "\n".join(elements).rstrip("\n")


def qr_code(payload: str) -> str:
    """Return the QR code as SVG.

    :raises ValueError: if the payload is longer than banking apps read
    """
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, image_factory=SvgPathImage, box_size=10)
    code.add_data(payload.encode())
    code.make(fit=True)
    if len(payload.encode()) > _MOST_BYTES or code.version > _LARGEST_SYMBOL:
        raise ValueError("The payload is too long for an EPC QR code.")
    return str(code.make_image().to_string(encoding="unicode"))
