"""Report a hardship, or complain, and see where it stands."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from casework import support
from casework.models import SupportRequest
from debtors.models import Debtor
from portal.pages import pages, wording
from portal.pages.forms import PortalForm, own_words
from portal.pages.pages import DebtorRequest
from portal.pages.states import State, Step

Kind, Status = SupportRequest.Kind, SupportRequest.Status
_SHOWN = 5


class HardshipForm(PortalForm):
    text = own_words(
        gettext_lazy("What has happened?"),
        gettext_lazy("At least 10 characters, in your own words. A person reads it."),
        2000,
    )


class ComplaintForm(PortalForm):
    text = own_words(
        gettext_lazy("What went wrong, and what should we do?"),
        gettext_lazy("At least 10 characters. A person reads it."),
        2000,
    )


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def cannot_pay(request: DebtorRequest) -> HttpResponse:
    """Report a hardship: there is no request for payment for two weeks, and a person looks at it."""
    done = _("Thank you for telling us. We do not ask you to pay for 14 days, and a person looks at it.")
    return _page(request, "cannot_pay", HardshipForm, Kind.HARDSHIP, done=done)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def complain(request: DebtorRequest) -> HttpResponse:
    """Complain."""
    return _page(request, "complain", ComplaintForm, Kind.COMPLAINT, done=_("We have received your complaint."))


def news(debtor: Debtor, *, now: datetime) -> list[State]:
    """Return a line for the first page if a request was answered within the last two weeks."""
    answered = SupportRequest.objects.filter(debtor=debtor, answered_at__gt=now - timedelta(days=14))
    kinds = set(answered.values_list("kind", flat=True))
    lines = {
        Kind.HARDSHIP: _("We answered you. You find our answer under “Get help”."),
        Kind.COMPLAINT: _("We answered your complaint. You find our answer under “Complain”."),
    }
    return [State("plain", "speech", line) for kind, line in lines.items() if kind in kinds]


def _page(
    request: DebtorRequest, name: str, kind_of_form: type[PortalForm], kind: SupportRequest.Kind, *, done: str
) -> HttpResponse:
    rows = SupportRequest.objects.filter(debtor=request.debtor, kind=kind).select_related("hold")
    asked = list(rows[:_SHOWN])
    context: dict[str, Any] = {
        "asked": [(each, _steps(each, request.debtor)) for each in asked],
        "is_open": kind == Kind.HARDSHIP and any(each.is_open for each in asked),
        "days": support.HOLD_DAYS,
    }
    if request.method != "POST":
        draft = pages.draft_of(request)
        return pages.show(request, name, form=kind_of_form(draft), is_draft=draft is not None, **context)
    receive = support.report_hardship if kind == Kind.HARDSHIP else support.complain

    def act(fields: dict[str, Any]) -> HttpResponse:
        receive(request.debtor, text=fields["text"], now=timezone.now())
        messages.success(request, done)
        response = redirect(request.path)
        pages.forget(response, pages.DRAFT_COOKIE)
        return response

    return pages.submit(request, name, kind_of_form(request.POST), act, **context)


def _steps(asked: SupportRequest, debtor: Debtor) -> list[Step]:
    """Return the three steps: sent, being looked at, answer."""
    sent = Step("done", _("Sent"), wording.day(asked.created_at, debtor))
    if asked.answered_at:
        answered = wording.day(asked.answered_at, debtor)
        return [sent, Step("done", _("A person looked at it")), Step("done", _("Our answer"), answered)]
    looking = _("A person is looking at it") if asked.status == Status.IN_REVIEW else _("A person will look at it")
    return [
        sent,
        Step("now", looking, _("Usually within 2 working days")),
        Step("", _("Our answer"), _("By message, and here")),
    ]
