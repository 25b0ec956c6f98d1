"""Find people, debts and payments by anything that a caller says: a page of results, and those of Ctrl+K."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from casework.admin.words import day, styled, sum_of
from collection import search
from collection.models import Debt
from debtors.models import Debtor
from payments.models import Payment

#: So many of each kind are shown, and so many by Ctrl+K.
MOST, MOST_AT_ONCE = 20, 7
_FEWEST_LETTERS = 2


@dataclass(frozen=True)
class Found:
    """The people, debts and payments that a text describes, the newest first; one more than ``most`` of each at the most."""

    people: list[Any]
    debts: list[Any]
    payments: list[Any]

    @property
    def only_person(self) -> Debtor | None:
        """The one person of all that was found."""
        owners = {row.pk for row in self.people} | {row.debtor_id for row in self.debts}
        owners |= {row.debt.debtor_id for row in self.payments}
        return self.people[0] if len(owners) == 1 and self.people else None


def find(request: HttpRequest) -> HttpResponse:
    """Show what the query's ``q`` describes; if that is one person, open the person's page."""
    text = _text(request, "q")
    found = _found(request, text, MOST)
    if found.only_person:
        return HttpResponseRedirect(_page(found.only_person))
    context = {
        **admin.site.each_context(request),
        "title": "Search",
        "text": text,
        "people": found.people[:MOST],
        "debts": found.debts[:MOST],
        "payments": found.payments[:MOST],
        "lists": {
            "people": _list(Debtor, text) if len(found.people) > MOST else "",
            "debts": _list(Debt, text) if len(found.debts) > MOST else "",
        },
        "is_short": 0 < len(text) < _FEWEST_LETTERS,
    }
    return TemplateResponse(request, "casework/find.html", context)


def command(request: HttpRequest) -> HttpResponse:
    """Answer the search of Ctrl+K: records first, then pages of the menu. django-unfold's own would read whole tables."""
    text = _text(request, "s")
    if not text:
        return HttpResponse()
    found = _found(request, text, MOST_AT_ONCE)
    results = [
        *(
            SearchResult(str(row), f"Person, {row.owes or 'owes nothing'}", _page(row), "person")
            for row in found.people
        ),
        *(
            SearchResult(str(row), f"Debt of {row.debtor}, {row.text}", _page(row), "description")
            for row in found.debts
        ),
        *(
            SearchResult(row.text, f"Payment, {row.debt.debtor}, {row.on}", _page(row), "payments")
            for row in found.payments
        ),
        *_pages(request, text),
    ]
    context = {"results": _Results(results), "page_obj": results, "page_counter": 0, "found": results}
    return TemplateResponse(request, "casework/command_results.html", context)


class _Results(list[SearchResult]):
    """All results as the one page that django-unfold's template shows."""

    next_page_number = None


def _pages(request: HttpRequest, text: str) -> list[SearchResult]:
    sections = admin.site.get_sidebar_list(request)  # type: ignore[attr-defined]
    return [
        SearchResult(item["title"], section.get("title", ""), item["link"], "list")
        for section in sections
        for item in section["items"]
        if text.lower() in item["title"].lower()
    ]


def _found(request: HttpRequest, text: str, most: int) -> Found:
    if len(text) < _FEWEST_LETTERS:
        return Found([], [], [])
    found = Found(
        _people(text, most) if request.user.has_perm("debtors.view_debtor") else [],
        _debts(text, most) if request.user.has_perm("collections.view_debt") else [],
        _payments(text, most) if request.user.has_perm("payments.view_payment") else [],
    )
    _add_owed(found.people)
    return found


def _people(text: str, most: int) -> list[Any]:
    key = _key(text)
    condition = Q(pk=key) if key else Q(pk__in=search.debtors(text))
    return list(Debtor.objects.filter(condition).order_by("-created_at", "-id")[: most + 1])


def _debts(text: str, most: int) -> list[Any]:
    key = _key(text)
    condition = Q(pk=key) if key else Q(pk__in=search.debts_by_reference(text))
    rows = Debt.objects.filter(condition).select_related("debtor", "creditor").order_by("-created_at", "-id")
    found: list[Any] = list(rows[: most + 1])
    for row in found:
        row.text = sum_of(row.current_balance, row.currency_code)
        row.amount = styled(row.current_balance, row.currency_code)
    return found


def _payments(text: str, most: int) -> list[Any]:
    key = _key(text)
    condition = Q(pk=key) if key else Q(processor_txn_id=text)
    rows = Payment.objects.filter(condition).select_related("debt__debtor").order_by("-created_at")
    found: list[Any] = list(rows[: most + 1])
    for row in found:
        row.text, row.on = sum_of(row.amount, row.currency_code), day(row.payment_date)
        row.sum = styled(row.amount, row.currency_code)
    return found


def _add_owed(people: Collection[Any]) -> None:
    """Add what each person owes, by currency."""
    owed: dict[Any, list[str]] = defaultdict(list)
    sums = Debt.objects.open().filter(debtor__in=[row.pk for row in people]).order_by("currency_code")
    if people:
        for debtor, currency, balance in sums.values_list("debtor", "currency_code").annotate(Sum("current_balance")):
            owed[debtor].append(sum_of(balance, currency))
    for row in people:
        row.owes = ", ".join(owed[row.pk])


def _text(request: HttpRequest, name: str) -> str:
    return str(request.GET.get(name, "")).replace("\0", "").strip()


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _page(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _list(model: type[Model], text: str) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return f"{reverse(name)}?{urlencode({'q': text})}"
