"""Back office pages of payments, receipts, credits and refunds."""

from payments.admin import credits, payments, receipts

__all__ = ["credits", "payments", "receipts"]
