"""To which debts a receipt belongs: by its reference alone it is booked, by more it is proposed to an agent.

The texts of banks break references over lines, put spaces into them and confuse O with 0. Two references are taken as the same if
they are equal without spaces and punctuation, with 0 for O. An amount alone never books.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import F, Func, TextField, Value

from collection.balances import accounts
from collection.holds.active import is_active
from collection.models import Debt, DebtStatus, Hold
from creditors.models import Creditor
from ddc.common import money, normal_forms
from debtors import search
from debtors.models import Debtor
from payments import creditor_references
from payments.models import Receipt, ReceiptAllocation, Suspense

Reason = Suspense.Reason
#: A debt with an amount to pay on it, and whether the amount becomes credit of its person instead.
Part = tuple[Debt, Decimal, bool]

#: Left out of references, as in the index debt_payment_reference.
IGNORED = " -/._:#,;+*()'&|\""
_FORM = Func(
    F("normal_reference"), Value(f"o{IGNORED}"), Value("0"), function="translate", output_field=TextField()
)  # The expression of the index debt_payment_reference.
#: A reference inside a longer text has at least so many characters, and so many digits: shorter ones occur by chance.
_LEAST_LENGTH, _LEAST_DIGITS = 6, 4
_MOST_WORDS, _MOST_CANDIDATES = 60, 400
#: A reference may be broken into so many words.
_MOST_PARTS = 6
_CLOSED = {
    DebtStatus.SETTLED: Reason.SETTLED,
    DebtStatus.WRITTEN_OFF: Reason.WRITTEN_OFF,
    DebtStatus.RECALLED: Reason.RECALLED,
}
_HOLDS = {Hold.Reason.DECEASED: Reason.DECEASED, Hold.Reason.BANKRUPTCY: Reason.BANKRUPT}


def form(reference: str) -> str:
    """Return the form in which references are compared: that of ``normal_forms`` without spaces and punctuation, O as 0."""
    return re.sub(f"[{re.escape(IGNORED)}]", "", normal_forms.reference(reference)).replace("o", "0")


def by_reference(text: str, *, creditor: Creditor | None = None) -> list[Debt]:
    """Return the debts that have the text, or a part of it, as their reference; recalled ones only if there is no other.

    Creditor references with right check digits come first: they are ours, whatever else the text has. If the text is exactly one
    debt's reference, it is that debt's, even if another one's differs by O and 0 only.
    """
    candidates = _candidates(text)
    if not candidates:
        return []
    rows = Debt.objects.select_related("debtor", "creditor")
    if creditor is not None:
        rows = rows.filter(creditor=creditor)
    if found := list(rows.filter(creditor_references.debts_named_in(text))[:_MOST_CANDIDATES]):
        return found
    found = list(rows.alias(form=_FORM).filter(form__any_of=candidates)[:_MOST_CANDIDATES])
    found = [debt for debt in found if debt.current_status != DebtStatus.RECALLED] or found
    exact = [debt for debt in found if debt.normal_reference == normal_forms.reference(text)]
    return exact or found


def _candidates(text: str) -> list[str]:
    """Return the forms of the whole text, and of words in sequence that may be a reference."""
    whole = form(text)
    words = re.split(rf"[\s{re.escape(IGNORED)}]+", normal_forms.reference(text))[:_MOST_WORDS]
    runs = (
        "".join(words[start:end]).replace("o", "0")
        for start in range(len(words))
        for end in range(start + 1, min(start + _MOST_PARTS, len(words)) + 1)
    )
    likely = (run for run in runs if len(run) >= _LEAST_LENGTH and sum(map(str.isdigit, run)) >= _LEAST_DIGITS)
    return list(dict.fromkeys(filter(None, (whole, *likely))))[:_MOST_CANDIDATES]


def decide(
    receipt: Receipt, debts: Sequence[Debt], *, is_chosen: bool = False, today: date
) -> tuple[list[Part], Suspense.Reason]:
    """Return how to book a receipt to the locked debts that its reference names, and the reason if nothing is booked.

    ``is_chosen``: the payer chose the debts, which may then be with several creditors.
    """
    if not debts:
        return [], Reason.UNKNOWN if receipt.reference.strip() else Reason.NO_REFERENCE
    if not is_chosen and len({(debt.debtor_id, debt.creditor_id) for debt in debts}) > 1:
        return [], Reason.AMBIGUOUS
    if reason := _person_reason(debts, today=today):
        return [], reason
    if any(debt.currency_code != receipt.currency_code for debt in debts):
        return [], Reason.OTHER_CURRENCY
    if reason := next(
        (_CLOSED[status] for debt in debts if (status := DebtStatus(debt.current_status)) in _CLOSED), None
    ):
        return [], reason
    payable = [debt for debt in debts if not debt.is_fully_disputed]
    is_disputed = any(debt.disputed_amount for debt in payable)
    if not payable or (is_disputed and receipt.amount > sum(debt.undisputed for debt in payable)):
        return [], Reason.DISPUTED
    parts = pay(in_order(payable, on=receipt.value_date), receipt.amount, on=receipt.value_date)
    if len(payable) < len(debts):  # The rest may be meant for the disputed one.
        return [part for part in parts if not part[2]], Reason.DISPUTED
    return parts, Reason.REST


def in_order(debts: Iterable[Debt], *, on: date) -> list[Debt]:
    """Return debts in the order in which one transfer pays them: those that are due on a day first, then the oldest."""

    def place(debt: Debt) -> tuple[object, ...]:
        since = debt.due_date or debt.placement_date
        return since > on, since, debt.created_at, debt.pk

    return sorted(debts, key=place)


def pay(debts: Sequence[Debt], amount: Decimal, *, on: date) -> list[Part]:
    """Return the parts of an amount for locked debts in their order, and what exceeds them as the credit of their person.

    Each debt takes at most its payoff on the value date ``on``. With several debts, the disputed part of one takes nothing.
    """
    parts: list[Part] = []
    amount = money.rounded(amount, debts[0].currency_code)
    for debt in debts:
        open_ = accounts.largest_payment(debt, on)
        if len(debts) > 1 and debt.disputed_amount:
            open_ = min(open_, debt.undisputed)
        part = min(amount, money.rounded(open_, debt.currency_code))
        if part > 0:
            parts.append((debt, part, False))
            amount -= part
    if amount > 0:
        parts.append((debts[0], amount, True))
    return parts


def _person_reason(debts: Iterable[Debt], *, today: date) -> Suspense.Reason | None:
    holds = Hold.objects.none()
    for debt in debts:
        holds |= Hold.objects.on(debt)
    active = holds.filter(reason__in=_HOLDS).not_ended()
    for hold in active:
        if is_active(hold.starts_on, hold.ends_on, today, today):
            return _HOLDS[Hold.Reason(hold.reason)]
    return None


# --- Proposals

_SHOWN, _READ = 8, 25
_SCORES = {
    "same reference": 60,
    "reference but for zeros at its start": 35,
    "known payer": 30,
    "same name": 25,
    "name in the text": 15,
    "same amount": 15,
}


@dataclass
class Proposal:
    """A debt to which an agent may book a receipt: the reasons, and their score up to 100."""

    debt: Debt
    reasons: list[str] = field(default_factory=list)

    @property
    def score(self) -> int:
        return min(sum(_SCORES[reason] for reason in self.reasons), 100)

    @property
    def current_balance(self) -> Decimal:
        balance: Decimal = self.debt.current_balance
        return balance

    @property
    def currency_code(self) -> str:
        return self.debt.currency_code


def proposals(receipt: Receipt) -> list[Proposal]:
    """Return the debts that a receipt may be for, the likeliest first. An amount alone proposes nothing."""
    found: dict[object, Proposal] = {}

    def add(debts: Iterable[Debt], reason: str) -> None:
        for debt in debts:
            found.setdefault(debt.pk, Proposal(debt)).reasons.append(reason)

    same = by_reference(receipt.reference)
    add(same[:_READ], "same reference")
    if not same:
        add(_but_for_zeros(receipt.reference), "reference but for zeros at its start")
    add(_of(_earlier_payers(receipt)), "known payer")
    add(_of(_named(receipt.payer_name)), "same name")
    names = [form(part) for part in (receipt.reference, receipt.payer_name)]
    for one in found.values():
        debtor = one.debt.debtor
        if "same name" not in one.reasons and _is_in(debtor, names):
            one.reasons.append("name in the text")
        if (one.debt.currency_code, one.debt.current_balance) == (receipt.currency_code, receipt.amount):
            one.reasons.append("same amount")
    ranked = sorted(
        found.values(), key=lambda one: (-one.score, not one.debt.is_open, str(one.debt.due_date or "9999"))
    )
    return ranked[:_SHOWN]


def _of(debtors: Sequence[object]) -> Iterable[Debt]:
    rows = Debt.objects.filter(debtor__in=debtors).select_related("debtor", "creditor")
    return rows.order_by("-current_balance", "-id")[:_READ] if debtors else ()


def _but_for_zeros(text: str) -> Iterable[Debt]:
    """Return the debts with a reference that a spreadsheet may have shortened to this text."""
    shortened = normal_forms.reference_without_zeros(text) if text.strip() else ""
    if len(shortened) < _LEAST_LENGTH - 2:
        return ()
    rows = Debt.objects.alias(short=Func(F("normal_reference"), Value("0"), function="ltrim", output_field=TextField()))
    zeros = rows.filter(normal_reference__startswith="0", short=shortened)
    exact = Debt.objects.alias(form=_FORM).filter(form=shortened.replace("o", "0"))
    return [*zeros.select_related("debtor", "creditor")[:_READ], *exact.select_related("debtor", "creditor")[:_READ]]


def _earlier_payers(receipt: Receipt) -> list[object]:
    """Return the debtors for whom the same account paid before."""
    if not receipt.payer_account:
        return []
    earlier = Receipt.objects.filter(payer_account=receipt.payer_account).exclude(pk=receipt.pk)[:_READ]
    booked = ReceiptAllocation.objects.filter(receipt__in=list(earlier), reverses=None, reversed_by=None)
    payments = [one.payment_id for one in booked if one.payment_id]
    return list(Debtor.objects.filter(debts__payments__in=payments).distinct().values_list("pk", flat=True)[:_READ])


def _named(name: str) -> list[object]:
    return list(search.debtors(name)[:_READ]) if len(form(name)) > 3 else []


def _is_in(debtor: Debtor, texts: Iterable[str]) -> bool:
    parts = [form(part) for part in (debtor.last_name, debtor.legal_entity) if part]
    return any(len(part) > 3 and part in text for part in parts for text in texts)
