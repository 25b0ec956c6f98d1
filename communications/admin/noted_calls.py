"""Calls on the pages of a debtor and a debt: those that were made, and noting one that no task asked for."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from collection.models import Debt
from communications.admin.calls import OutcomeForm
from communications.calls import records
from communications.models import CommunicationLog
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import ReferenceField
from ddc.common.admin.listings import Listing, listing
from debtors.channels import Channel
from debtors.models import Debtor

_SPOKEN = (Channel.VOICE, Channel.CALL_SCRIPT)
_DIRECTIONS = CommunicationLog.Direction
_WHO = {_DIRECTIONS.INBOUND: "They called us", _DIRECTIONS.OUTBOUND: "We called them"}


class NoteForm(OutcomeForm):
    """A call that was made."""

    direction = forms.ChoiceField(label="Who called", choices=_WHO.items(), widget=UnfoldAdminRadioSelectWidget())
    debt = ReferenceField(
        queryset=Debt.objects.none(),
        required=False,
        empty_label="All that they owe, or none in particular",
        widget=UnfoldAdminSelectWidget(),
        help_text="The days without calls after a talk are about this debt alone; else about all of theirs.",
    )
    number = forms.CharField(
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Theirs, with its country's code, or as it is dialled in their country. Empty: it is not known.",
    )
    at = forms.DateTimeField(
        label="When (UTC)",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="Empty: just now. It counts from then on.",
    )
    field_order = ("direction", "debt", "number", "at", "outcome", "notes")

    def __init__(self, debtor: Debtor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        debts: Any = self.fields["debt"]
        debts.queryset = Debt.objects.filter(debtor=debtor)
        self.offer(records.NOTED)


def note(page: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Ask for a call on a debtor's page, and note it."""
    debtor = page.one(request, object_id)
    initial = {"number": debtor.mobile_phone, "debt": request.GET.get("debt")}
    return page.do_to_one(
        request,
        object_id,
        NoteForm(debtor, request.POST or None, initial=initial),
        lambda whose, told: records.note(whose, by=request.user, now=now(), **told),  # type: ignore[arg-type]
        title="Note a phone call",
        button="Note it",
        done="The call is noted.",
    )


def of_debtor(request: HttpRequest, debtor: Debtor) -> Listing:
    """List the calls with a debtor."""
    return _calls(request, debtor, debtor__id__exact=debtor.pk)


def of_debt(request: HttpRequest, debt: Debt) -> Listing:
    """List the calls about a debt."""
    return _calls(request, debt.debtor, {"debt": debt.pk}, debt__id__exact=debt.pk)


def _calls(request: HttpRequest, debtor: Debtor, filled: dict[str, Any] | None = None, **filters: Any) -> Listing:
    columns = {
        "When": lambda call: f"{call.begun_at or call.sent_at or call.created_at:%Y-%m-%d %H:%M}",
        "Who called": lambda call: _WHO[call.direction],
        "Number": lambda call: call.address or "-",
        "How it went": lambda call: call.get_outcome_display() or "-",
        "Noted by": lambda call: call.outcome_by or "-",
    }
    rows = CommunicationLog.objects.filter(communication_type__in=_SPOKEN, **filters).select_related("outcome_by")
    url = reverse("admin:debtors_debtor_note_call", args=[debtor.pk])
    add = f"{url}?{urlencode(filled or {})}" if may_note(request) else None
    in_list = filters | {"communication_type__in": ",".join(_SPOKEN)}
    return listing("Calls", rows.defer("body", "html"), columns, add=add, **in_list)


def may_note(request: HttpRequest) -> bool:
    """Whoever works the calls also notes those that came in."""
    return request.user.has_perm("communications.finish_calltask")
