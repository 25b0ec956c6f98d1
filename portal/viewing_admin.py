"""See what the debtor sees: an agent looks at the pages of a debtor's portal, which do nothing, and that is recorded."""

import copy
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from debtors.models import Debtor
from portal import tokens
from portal.models import PortalViewing
from portal.pages import details, home, letters, pages, support

PERMISSION = "portal.see_as_debtor"
#: The pages that can be looked at, by their name in the address: label and view.
PAGES: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
    "home": ("Home", home.home),
    "messages": ("Letters and messages", letters.letters),
    "details": ("Details", details.show),
    "help": ("I can't pay", support.cannot_pay),
    "statement": ("Statement", letters.print_statement),
}


@admin.site.admin_view
@require_safe
def see(request: HttpRequest, pk: uuid.UUID, page: str) -> HttpResponse:
    """Show a page of a debtor's portal in the debtor's language. Nothing in it can be used."""
    agent: Any = request.user
    if not agent.has_perm(PERMISSION):
        raise PermissionDenied
    debtor = get_object_or_404(Debtor, pk=pk)
    if page not in PAGES:
        raise Http404
    PortalViewing.objects.create(agent=agent, debtor=debtor, page=page)
    shown: Any = copy.copy(request)
    shown.COOKIES = {pages.TOKEN_COOKIE: tokens.issue_for_pages(debtor, now=now())}
    shown.viewed_by = {"agent": agent, "debtor": debtor, "page": page, "pages": PAGES}
    response = PAGES[page][1](shown)
    response.cookies.clear()
    return response
