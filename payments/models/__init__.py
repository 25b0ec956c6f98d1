"""Payments and receipts, credits and refunds, payments at providers, bank accounts, and the answers to repeated requests."""

from payments.models.bank import BankAccount, CreditorReference
from payments.models.credits import Credit, CreditEntry, Refund
from payments.models.payments import IdempotencyKey, Payment, PaymentMethod, PaymentStatus
from payments.models.providers import (
    PaymentIntent,
    PaymentRequest,
    ProviderEvent,
    ProviderPayout,
    ProviderReturn,
)
from payments.models.receipts import Receipt, ReceiptAllocation, Suspense

__all__ = [
    "BankAccount",
    "Credit",
    "CreditEntry",
    "CreditorReference",
    "IdempotencyKey",
    "Payment",
    "PaymentIntent",
    "PaymentMethod",
    "PaymentRequest",
    "PaymentStatus",
    "ProviderEvent",
    "ProviderPayout",
    "ProviderReturn",
    "Receipt",
    "ReceiptAllocation",
    "Refund",
    "Suspense",
]
