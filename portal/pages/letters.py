"""Letters and messages to read again, and a statement to print."""

import uuid

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from collection.balances import statement
from portal import account, messages
from portal.pages import home, pages
from portal.pages.pages import DebtorRequest

_ROWS = 20
#: A statement shows the newest debts.
_DEBTS = 20


@pages.signed_in
@require_safe
def letters(request: DebtorRequest) -> HttpResponse:
    """List the messages, newest first."""
    page = Paginator(messages.of(request.debtor), _ROWS).get_page(request.GET.get("page"))
    return pages.show(request, "letters", page=page)


@pages.signed_in
@require_safe
def letter(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one message with its text."""
    return pages.show(request, "letter", letter=get_object_or_404(messages.of(request.debtor), pk=pk))


@pages.signed_in
@require_safe
def print_statement(request: DebtorRequest) -> HttpResponse:
    """Show all debts with their entries, to print."""
    loaded = account.load(request.debtor, now=timezone.now())
    cards = loaded.cards[:_DEBTS]
    accounts = statement.lines_of([card.debt for card in cards])
    lines = [(card, [(home.ENTRIES[line.kind], line) for line in accounts[card.debt.pk]]) for card in cards]
    return pages.show(request, "statement", account=loaded, lines=lines, today=loaded.today)
