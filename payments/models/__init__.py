"""Payments and receipts, credits and refunds, and the answers to repeated requests."""

from payments.models.credits import Credit, CreditEntry, Refund
from payments.models.payments import IdempotencyKey, Payment, PaymentMethod, PaymentStatus
from payments.models.receipts import Receipt, ReceiptAllocation, Suspense

__all__ = [
    "Credit",
    "CreditEntry",
    "IdempotencyKey",
    "Payment",
    "PaymentMethod",
    "PaymentStatus",
    "Receipt",
    "ReceiptAllocation",
    "Refund",
    "Suspense",
]
