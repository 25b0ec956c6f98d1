"""The money of the demo's month that is more than a payment: receipts, credits, suspense, charge-backs, late bookings."""

from datetime import datetime, timedelta

from collection.models import Debt, DebtStatus
from ddc.common import money
from ddc.common.days import agency_today
from ddc.demo.context import Month
from ddc.demo.portfolio import part
from payments import bank_accounts, posting, receipts, returns
from payments.models import BankAccount, Payment, PaymentStatus, Receipt

#: On how many days before the end something rare happens.
_CHARGE_BACKS, _OVERPAID, _UNKNOWN, _BACK_DATED = (17, 9, 2), (14, 5, 1), (12, 6, 3, 2, 1), (15, 4)
#: The agency's accounts by currency: IBAN and BIC, both from the examples of their standards.
_ACCOUNTS = {"EUR": ("DE89370400440532013000", "COBADEFFXXX"), "GBP": ("GB33BUKB20201555555555", "BUKBGB22XXX")}


def receive(month: Month, at: datetime) -> None:
    """Receive a day's money from the bank: with a reference, too much, with no reference, back-dated, and taken back."""
    left, today = month.days_left(at), agency_today(at)
    _open_accounts(month, at)
    debts = Debt.objects.filter(current_status=DebtStatus.ACTIVE, current_balance__gt=50, created_at__lt=at)
    ids = list(debts.order_by("external_reference").values_list("pk", flat=True))
    debt = Debt.objects.select_related("debtor", "creditor").get(pk=month.rng.choice(ids))
    open_now = money.rounded(debt.current_balance, debt.currency_code)
    amount = open_now + 10 if left in _OVERPAID else part(debt, 0.25)
    reference = "Invoice, thank you" if left in _UNKNOWN else f"Payment {debt.external_reference}"
    receipts.record(
        source=Receipt.Source.BANK,
        amount=amount,
        currency_code=debt.currency_code,
        reference=reference,
        payer_name=str(debt.debtor),
        provider="bank",
        provider_id=f"statement-{today:%m%d}",
        by=month.agent,
        today=today,
        now=at,
    )
    if left in _BACK_DATED:
        late = Debt.objects.get(pk=month.rng.choice(ids))
        earlier = max(late.placement_date, today - timedelta(days=6))
        paid = part(late, 0.2)
        posting.record(
            debt=late, amount=paid, by=month.agent, today=today, now=at, payment_date=earlier, payment_method="cheque"
        )
    if left in _CHARGE_BACKS:
        direct_debits = Payment.objects.filter(status=PaymentStatus.COMPLETED, payment_method="direct_debit")
        recent = direct_debits.filter(debt__current_status=DebtStatus.ACTIVE, created_at__lt=at - timedelta(days=3))
        if payment := recent.order_by("-created_at", "processor_txn_id").first():
            reason = "The account had too little money."
            returns.charge_back(payment, by=month.supervisor, today=today, now=at, reason=reason)


def _open_accounts(month: Month, at: datetime) -> None:
    """Put the agency's accounts in force, once: the agent proposes them, the Supervisor approves."""
    if not BankAccount.objects.exists():
        for currency, (iban, bic) in _ACCOUNTS.items():
            account = BankAccount(holder="DDC Client Account", iban=iban, bic=bic, currency_code=currency)
            bank_accounts.approve(bank_accounts.propose(account, by=month.agent, now=at), by=month.supervisor, now=at)
