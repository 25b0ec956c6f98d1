"""Ask for more time for a debt, see where the request stands, and withdraw it."""

import uuid
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from collection import deferrals
from collection.models import Debt, DeferralRequest
from debtors import calendars
from portal import account
from portal.pages import pages, states, wording
from portal.pages.forms import PortalForm
from portal.pages.pages import DebtorRequest

_DAYS = (7, 14, 30)
_MOST = 365
#: Reasons to choose from. Agents read them in English.
_REASONS = {
    "wages": gettext_lazy("I am waiting for wages or a benefit"),
    "work": gettext_lazy("I have less work, or lost my job"),
    "illness": gettext_lazy("Illness, or something in the family"),
    "other": gettext_lazy("Something else"),
}


class MoreTimeForm(PortalForm):
    """How long, and why. Each choice names the day that it leads to."""

    time = forms.ChoiceField(
        label=gettext_lazy("How long do you need?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Please choose how long you need.")},
    )
    pay_day = forms.DateField(label=gettext_lazy("Your next pay day"), required=False)
    other_day = forms.DateField(label=gettext_lazy("Which day?"), required=False)
    why = forms.ChoiceField(
        label=gettext_lazy("Why do you need it?"),
        widget=forms.RadioSelect,
        choices=list(_REASONS.items()),
        error_messages={"required": gettext_lazy("Please tell us why.")},
    )
    own_words = forms.CharField(
        label=gettext_lazy("Would you like to add something?"),
        help_text=gettext_lazy("You may leave this empty."),
        required=False,
        max_length=900,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": gettext_lazy("Please write at most 900 characters.")},
    )

    def __init__(self, *args: Any, debt: Debt, request: DebtorRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.now()
        today = calendars.today(request.debtor, at=now)
        self.start = max(debt.due_date or today, today)
        self.fields["time"].choices = [  # type: ignore[attr-defined]
            *((str(days), self._label(days, deferrals.new_due_date(debt, days, now=now), request)) for days in _DAYS),
            ("pay_day", gettext_lazy("Until my pay day")),
            ("other_day", gettext_lazy("Another day")),
        ]
        bounds = {"min": self.start + timedelta(days=1), "max": self.start + timedelta(days=_MOST)}
        for name in ("pay_day", "other_day"):
            attrs = {"type": "date"} | {key: day.isoformat() for key, day in bounds.items()}
            self.fields[name].widget = forms.DateInput(attrs=attrs, format="%Y-%m-%d")
            self.fields[name].error_messages["invalid"] = _("Please enter a date.")

    @staticmethod
    def _label(days: int, until: date, request: DebtorRequest) -> str:
        words = translation.ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
        day = _("Until %(day)s") % {"day": wording.day(until, request.debtor)}
        return format_html("{}<small>{}</small>", words, day)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        time = values.get("time", "")
        if time.isdigit():
            values["days"] = int(time)
        elif time and time not in self.errors and not self.errors.get(time):
            until = values.get(time)
            values["days"] = (until - self.start).days if until else 0
            if not 1 <= values["days"] <= _MOST:
                first, last = self.start + timedelta(days=1), self.start + timedelta(days=_MOST)
                text = _("Please enter a day from %(first)s to %(last)s.")
                days = {"first": wording.day(first, form="full"), "last": wording.day(last, form="full")}
                self.add_error(time, text % days)
        return values

    def reason(self) -> str:
        """Return the reason as agents read it."""
        with translation.override("en"):
            chosen = str(_REASONS[self.cleaned_data["why"]])
        own = self.cleaned_data["own_words"].strip()
        return f"{chosen}. {own}" if own else f"{chosen}."


@pages.signed_in
@require_safe
def choose_debt(request: DebtorRequest) -> HttpResponse:
    """Ask for which debt; lead on at once where there is only one."""
    loaded = account.load(request.debtor, now=timezone.now())
    cards = [card for card in loaded.open_cards if card.may_have_time]
    if len(cards) == 1:
        return redirect("portal-more-time", cards[0].debt.pk)
    return pages.show(request, "more_time_debts", cards=cards)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for more time for one debt."""
    debt = get_object_or_404(Debt.objects.select_related("creditor", "debtor"), pk=pk, debtor=request.debtor)
    now = timezone.now()
    (card,) = account.cards_of([debt], today=calendars.today(request.debtor, at=now), now=now)
    context: dict[str, Any] = {"debt": debt, "card": card, "state": states.of_debt(card, request.debtor)}
    if request.method != "POST":
        draft = pages.draft_of(request)
        form = MoreTimeForm(draft, debt=debt, request=request)
        return pages.show(request, "more_time", form=form, is_draft=draft is not None, **context)
    form = MoreTimeForm(request.POST, debt=debt, request=request)

    def act(fields: dict[str, Any]) -> HttpResponse:
        made = deferrals.request(debt, debtor=request.debtor, days=fields["days"], reason=form.reason(), now=now)
        messages.success(request, _("We have received your request."))
        response = redirect("portal-request", made.pk)
        pages.forget(response, pages.DRAFT_COOKIE)
        return response

    return pages.submit(request, "more_time", form, act, **context)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def request_state(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a request for more time in three steps; POST withdraws it."""
    rows = DeferralRequest.objects.select_related("debt__creditor", "debt__debtor")
    asked = get_object_or_404(rows, pk=pk, debtor=request.debtor)
    if request.method == "POST":
        try:
            deferrals.withdraw(asked, debtor=request.debtor, now=timezone.now())
        except deferrals.AlreadyReviewed:
            messages.info(request, _("We have answered your request in the meantime."))
        else:
            messages.success(request, _("You withdrew your request."))
        return redirect("portal-request", pk)
    is_pending = asked.status == DeferralRequest.Status.PENDING
    until = asked.granted_until
    if is_pending:
        until = deferrals.new_due_date(asked.debt, asked.requested_deferral_days, now=timezone.now())
    return pages.show(
        request,
        "request",
        asked=asked,
        until=until,
        is_pending=is_pending,
        state=states.of_request(asked, request.debtor),
        steps=states.steps_of_request(asked, request.debtor),
    )
