"""Change one instalment of an arrangement: the page shows the schedule before it is changed."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from arrangements import changes
from arrangements.admin import words
from arrangements.models import Arrangement
from casework.admin.words import day, sum_of
from ddc.common.admin.forms import DecimalField, add_refusal
from ddc.common.admin.pages import SMALLEST
from ddc.common.errors import DomainError

if TYPE_CHECKING:
    from ddc.common.admin.editing import DomainAdmin


class _ChangeForm(forms.Form):
    """A change of one of the instalments that are not paid."""

    title: str
    instalment_no = forms.TypedChoiceField(label="Instalment", coerce=int, widget=UnfoldAdminSelectWidget())

    def __init__(self, arrangement: Arrangement, data: Any) -> None:
        super().__init__(data)
        unpaid = [step for step in words.steps([arrangement], now=now())[arrangement.pk] if step.open > 0]
        currency = arrangement.currency_code
        field: Any = self.fields["instalment_no"]
        field.choices = [
            (step.no, f"{step.no}: {sum_of(step.amount, currency)}, {day(step.agreed_on)}") for step in unpaid
        ]

    def change(self, arrangement: Arrangement, **more: Any) -> list[Any]:
        """Call the domain function, and return the schedule after the change."""
        raise NotImplementedError


class DelayForm(_ChangeForm):
    title = "Delay an instalment"
    due_on = forms.DateField(label="New day", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    reason = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextInputWidget())

    def change(self, arrangement: Arrangement, **more: Any) -> list[Any]:
        fields = self.cleaned_data
        return changes.delay(arrangement, fields["instalment_no"], to=fields["due_on"], reason=fields["reason"], **more)


class AmountForm(_ChangeForm):
    title = "Change the amount of an instalment"
    amount = DecimalField(
        label="New amount",
        min_value=SMALLEST,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="The last instalment takes the difference.",
    )
    reason = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextInputWidget())

    def change(self, arrangement: Arrangement, **more: Any) -> list[Any]:
        fields = self.cleaned_data
        return changes.change_amount(
            arrangement, fields["instalment_no"], amount=fields["amount"], reason=fields["reason"], **more
        )


def page(admin: "DomainAdmin", request: HttpRequest, object_id: str, form_class: type[_ChangeForm]) -> HttpResponse:
    """Show the form, on request with the schedule that it gives, and carry it out."""
    arrangement = admin.one(request, object_id)
    form = form_class(arrangement, request.POST if request.method == "POST" else None)
    schedule = None
    if request.method == "POST" and form.is_valid():
        is_dry_run = "preview" in request.POST
        try:
            with transaction.atomic():
                dues = form.change(arrangement, by=request.user, now=now(), dry_run=is_dry_run)
                if not is_dry_run:
                    admin.log_change(request, arrangement, form.title)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            if not is_dry_run:
                admin.message_user(request, "The schedule is changed.")
                return HttpResponseRedirect(admin.page_of(object_id))
            schedule = {"headers": words.SCHEDULE, "rows": words.schedule(dues, arrangement.currency_code)}
    context = {
        **admin.admin_site.each_context(request),
        "title": form.title,
        "opts": admin.opts,
        "form": form,
        "rows": [f"{words.title(arrangement)}, {arrangement.debtor}"],
        "button": "Change",
        "schedule": schedule,
    }
    return TemplateResponse(request, "casework/arrangement_change.html", context)
