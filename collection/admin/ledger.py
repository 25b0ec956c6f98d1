"""Admin pages of ledger entries and exchange rates."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet

from collection import search
from collection.models import Debt, ExchangeRate, LedgerEntry
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import SMALLEST, BackOffice, ReadOnlyAdmin, amount, column, unbroken


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("posted_at", "debt_link", "kind", "moved", "value_date", "by")
    list_filter = ("kind", "posted_at", "value_date")
    list_select_related = ("by",)
    search_fields = ("id",)
    search_help_text = (
        "The debtor's name, e-mail address or phone; part of the reference; the id of an entry, payment or debt"
    )
    ordering = ("-id",)  # Ids begin with the time, and the table has no other index by time.
    fields = ("debt_link", "kind", "moved", "value_date", "posted_at", "by", "cause", "reversed", "payment_id")
    readonly_fields = ("debt_link", "moved", "reversed")

    def annotate_rows(self, rows: list[Any]) -> None:
        debts = Debt.objects.in_bulk({row.debt_id for row in rows})
        for row in rows:
            row.found = debts.get(row.debt_id)

    def id_filter(self, key: uuid.UUID) -> Q:
        return Q(pk=key) | Q(debt=key) | Q(payment_id=key)

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text))

    @admin.display(description="Debt")
    def debt_link(self, entry: Any) -> str:
        """Return the debt, or its id if it has been deleted."""
        if not hasattr(entry, "found"):
            self.annotate_rows([entry])
        return str(entry.found or f"deleted ({entry.debt_id})")

    moved = column("Amount", lambda entry: unbroken(amount(entry.amount, entry.currency_code)), ordering="amount")
    reversed = column("Reverses", lambda entry: str(entry.reverses_id or "-"))


def listing_of(entries: QuerySet[LedgerEntry], **filters: Any) -> Listing:
    """List these entries on another page, the newest first."""
    columns: dict[str, Any] = {
        "Kind": lambda entry: entry.get_kind_display(),
        "Amount": lambda entry: amount(entry.amount, entry.currency_code),
        "Value date": lambda entry: entry.value_date,
        "By": lambda entry: entry.by or "-",
    }
    return listing("Ledger", entries.select_related("by").order_by("-posted_at", "-id"), columns, **filters)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(BackOffice):
    list_display = ("date", "currency_code", "per_euro")
    list_filter = ("date",)
    search_fields = ("currency_code",)
    bounds = {"per_euro": (SMALLEST / 10_000, None)}

    def search_filter(self, text: str) -> Q:
        return Q(currency_code=text.upper())
