"""Dispute all or a part of a debt with files, see where the dispute stands, and hand in more files."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from casework import documents
from casework.models import Document
from collection import disputes
from collection.models import Debt, Dispute
from ddc.common import money
from ddc.common.errors import DomainError
from debtors import calendars
from portal import account
from portal.pages import pages, refusals, states
from portal.pages.forms import PortalForm, own_words
from portal.pages.pages import DebtorRequest
from portal.requests_api import attachment

#: So many files in one form. The body has 10 MiB at most, too.
MAX_FILES = 5
_TYPES = "image/jpeg,image/png,image/webp,application/pdf"


class _FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, recognised by their content; the value is a list of ``documents.File``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=gettext_lazy("Files that show it"),
            help_text=gettext_lazy("Photos or PDF, up to 5 files and 10 MB together."),
            widget=_FilesInput(attrs={"multiple": True, "accept": _TYPES}),
            allow_empty_file=True,
            **kwargs,
        )

    def clean(self, data: Any, initial: Any = None) -> list[documents.File]:
        given: Sequence[Any] = data if isinstance(data, list | tuple) else [data] if data else []
        if self.required and not given:
            raise forms.ValidationError(_("Please choose a file."))
        if len(given) > MAX_FILES:
            raise forms.ValidationError(_("Please choose at most 5 files."))
        try:
            return [documents.examine(file.name, file.read(documents.MAX_BYTES + 1)) for file in given]
        except DomainError as error:
            raise forms.ValidationError(refusals.translated(error)) from error


class DisputeForm(PortalForm):
    """The dispute: its reason, the disputed amount, and files that prove it."""

    what = forms.ChoiceField(
        label=gettext_lazy("What is wrong?"),
        widget=forms.RadioSelect,
        choices=[
            ("whole", gettext_lazy("I do not owe this, or not to them")),
            ("part", gettext_lazy("The amount is too high")),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Please choose what is wrong.")),
    )
    portion = forms.CharField(
        label=gettext_lazy("How much of it is wrong?"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}),
    )
    reason = own_words(gettext_lazy("What happened?"), gettext_lazy("At least 10 characters. A person reads it."), 1000)
    proof = FilesField(required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        values["amount"] = None
        if values.get("what") == "part" and "portion" in values:
            try:
                values["amount"] = _amount(values["portion"])
            except money.BadAmount:
                self.add_error("portion", _("Please enter an amount, such as 20.50."))
        return values


def _amount(text: str) -> Decimal:
    amount = money.read(text.strip().replace(",", "."))
    if amount <= 0:
        raise money.BadAmount
    return amount


@pages.signed_in
@require_safe
def choose_debt(request: DebtorRequest) -> HttpResponse:
    """Ask which debt is wrong; lead on at once where there is only one."""
    loaded = account.load(request.debtor, now=timezone.now())
    cards = [card for card in loaded.open_cards if not (card.dispute and card.dispute.is_open)]
    if len(cards) == 1:
        return redirect("portal-dispute", cards[0].debt.pk)
    return pages.show(request, "dispute_debts", cards=cards)


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Dispute one debt."""
    debt = get_object_or_404(Debt.objects.select_related("creditor", "debtor"), pk=pk, debtor=request.debtor)
    now = timezone.now()
    (card,) = account.cards_of([debt], today=calendars.today(request.debtor, at=now), now=now)
    open_one = card.dispute if card.dispute and card.dispute.is_open else None
    context: dict[str, Any] = {"debt": debt, "open_dispute": open_one, "currency": debt.currency_code}
    if request.method != "POST":
        draft = pages.draft_of(request)
        return pages.show(request, "dispute", form=DisputeForm(draft), is_draft=draft is not None, **context)
    form = DisputeForm(request.POST, request.FILES)

    def act(fields: dict[str, Any]) -> HttpResponse:
        with transaction.atomic():
            made = disputes.receive(
                debt,
                debtor=request.debtor,
                portion=fields["amount"],
                reason=fields["reason"],
                channel=Dispute.Channel.PORTAL,
                by=None,
                now=now,
            )
            for file in fields["proof"]:
                documents.keep(request.debtor, file, dispute=made, now=now)
        messages.success(request, _("We have received it. You do not have to pay what you dispute while we check."))
        response = redirect("portal-dispute-state", made.pk)
        pages.forget(response, pages.DRAFT_COOKIE)
        return response

    return pages.submit(request, "dispute", form, act, **context)


class MoreFilesForm(PortalForm):
    proof = FilesField()


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def dispute_state(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a dispute in three steps, with its files; POST hands in more."""
    rows = Dispute.objects.select_related("debt__creditor", "debt__debtor")
    found = get_object_or_404(rows, pk=pk, debt__debtor=request.debtor)
    context: dict[str, Any] = {
        "dispute": found,
        "steps": states.steps_of_dispute(found, request.debtor),
        "outcome": states.outcome_of_dispute(found),
        "portion": states.portion_of_dispute(found, request.debtor),
        "documents": found.documents.all()[:100],
    }
    if request.method != "POST":
        return pages.show(request, "dispute_state", form=MoreFilesForm(), **context)
    form = MoreFilesForm(request.POST, request.FILES)

    def act(fields: dict[str, Any]) -> HttpResponse:
        with transaction.atomic():
            for file in fields["proof"]:
                documents.keep(request.debtor, file, dispute=found, now=timezone.now())
        messages.success(request, _("We have received your files."))
        return redirect("portal-dispute-state", pk)

    return pages.submit(request, "dispute_state", form, act, **context)


@pages.signed_in
@require_safe
def document(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Return a file of the debtor as a download."""
    return attachment(get_object_or_404(Document, pk=pk, debtor=request.debtor))
