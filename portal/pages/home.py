"""The first page of a signed-in debtor, and how each debt came about."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from collection.balances import accounts, statement
from collection.claims.components import Components
from collection.models import Debt, LedgerEntry
from debtors import calendars
from portal import account
from portal.pages import pages, sign_in, states, support
from portal.pages.pages import DebtorRequest

_Kind = LedgerEntry.Kind
#: An entry of the ledger in plain words.
ENTRIES = {
    _Kind.PLACEMENT: _("Owed when we began"),
    _Kind.PAYMENT: _("You paid"),
    _Kind.CREDIT: _("Paid from your credit"),
    _Kind.INTEREST: _("Interest"),
    _Kind.COST: _("Costs"),
    _Kind.FEE: _("Fee"),
    _Kind.ADJUSTMENT: _("Correction"),
    _Kind.WRITE_OFF: _("You need not pay this"),
    _Kind.WAIVER: _("You need not pay this"),
    _Kind.CHARGEBACK: _("Your payment went back"),
    _Kind.REFUND: _("We paid back to you"),
    _Kind.REVERSAL: _("Taken back"),
    _Kind.REALLOCATION: _("Booked in another way"),
}
_PARTS = (
    ("principal", _("The debt itself")),
    ("interest", _("Interest")),
    ("costs", _("Costs")),
    ("fees", _("Fees")),
)
#: Pages of the list "More", by the name of their route: label, what it is for, icon. A page that does not exist is left out.
_MORE = (
    ("portal-messages", _("Letters and messages"), "", "mail"),
    ("portal-details", _("Your details"), _("Phone, e-mail, language, stop messages"), "person"),
    ("portal-statement", _("Statement to print"), "", "page"),
    ("portal-complain", _("Complain"), "", "speech"),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show signed-in debtors their account, and others the sign-in."""
    if pages.debtor_of(request) is None:
        return sign_in.sign_in(request)
    return _account(request)


@pages.signed_in
def _account(request: DebtorRequest) -> HttpResponse:
    debtor = request.debtor
    loaded = account.load(debtor, now=timezone.now())
    return pages.show(
        request,
        "home",
        account=loaded,
        news=[*states.news(loaded, debtor), *support.news(debtor, now=timezone.now())],
        open_cards=[_shown(card, request) for card in loaded.open_cards],
        closed_cards=[_shown(card, request) for card in loaded.closed_cards],
        more=[(url, *rest) for name, *rest in _MORE if (url := url_of(name))],
        urls={"dispute_all": url_of("portal-dispute-all"), "help": url_of("portal-help")},
    )


def _shown(card: account.DebtCard, request: DebtorRequest) -> dict[str, Any]:
    debtor, dispute = request.debtor, card.dispute
    return {
        "card": card,
        "debt": card.debt,
        "state": states.of_debt(card, debtor),
        "request": card.request,
        "request_state": card.request and states.of_request(card.request, debtor),
        "request_steps": card.request and states.steps_of_request(card.request, debtor),
        "dispute": dispute,
        "dispute_steps": dispute and states.steps_of_dispute(dispute, debtor),
        "dispute_outcome": dispute and states.outcome_of_dispute(dispute),
        "dispute_url": url_of("portal-dispute", card.debt.pk),
    }


@pages.signed_in
@require_safe
def ledger(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how a debt came about, in words, with interest and costs."""
    debt = get_object_or_404(Debt.objects.select_related("creditor"), pk=pk, debtor=request.debtor)
    today = calendars.today(request.debtor, at=timezone.now())
    lines = [(ENTRIES[line.kind], line) for line in statement.lines(debt)]
    payoff = accounts.payoff(debt, today)
    return pages.show(
        request, "ledger", debt=debt, lines=lines, payoff=payoff, parts=_parts(payoff.balances), today=today
    )


def _parts(balances: Components) -> list[tuple[Any, Any]]:
    return [(label, value) for name, label in _PARTS if (value := getattr(balances, name))]


def url_of(name: str, *args: Any) -> str | None:
    """Return the address of a page, None where it does not exist."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None
