"""Back office pages of payments, receipts, credits, refunds, payment providers and bank accounts."""

from payments.admin import bank_accounts, credits, payments, providers, receipts

__all__ = ["bank_accounts", "credits", "payments", "providers", "receipts"]
