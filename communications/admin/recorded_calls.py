"""Calls on the pages of a debtor and a debt: the list of calls, and the form to record one without a task."""

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
from ddc.common.admin.pages import when
from debtors.channels import Channel
from debtors.models import Debtor

_CALL_CHANNELS = (Channel.VOICE, Channel.CALL_SCRIPT)
_DIRECTIONS = CommunicationLog.Direction
_CALLERS = {_DIRECTIONS.INBOUND: "The debtor called us", _DIRECTIONS.OUTBOUND: "We called the debtor"}


class RecordCallForm(OutcomeForm):
    """A call without a task."""

    direction = forms.ChoiceField(
        label="Caller",
        choices=_CALLERS.items(),
        initial=_DIRECTIONS.OUTBOUND,
        widget=UnfoldAdminRadioSelectWidget(),
    )
    debt = ReferenceField(
        queryset=Debt.objects.none(),
        required=False,
        empty_label="All debts",
        widget=UnfoldAdminSelectWidget(),
        help_text="The cooling-off period after a conversation applies to this debt, or to all debts.",
    )
    number = forms.CharField(
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="With the country code, or as dialled in the debtor's country; empty if unknown.",
    )
    at = forms.DateTimeField(
        label="Time",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="Empty: now.",
    )
    field_order = ("direction", "debt", "number", "at", "outcome", "notes")

    def __init__(self, debtor: Debtor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        debts: Any = self.fields["debt"]
        debts.queryset = Debt.objects.filter(debtor=debtor)
        self.offer(records.RECORDED)


def record(page: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the form on a debtor's page, and record the call."""
    debtor = page.one(request, object_id)
    initial = {"number": debtor.mobile_phone, "debt": request.GET.get("debt")}
    return page.do_to_one(
        request,
        object_id,
        RecordCallForm(debtor, request.POST or None, initial=initial),
        lambda debtor, fields: records.record_call(debtor, by=request.user, now=now(), **fields),  # type: ignore[arg-type]
        title="Record a call",
        button="Record",
        done="The call is recorded.",
    )


def of_debtor(request: HttpRequest, debtor: Debtor) -> Listing:
    """List the calls with a debtor."""
    return _calls(request, debtor, debtor__id__exact=debtor.pk)


def of_debt(request: HttpRequest, debt: Debt) -> Listing:
    """List the calls about a debt."""
    return _calls(request, debt.debtor, {"debt": debt.pk}, debt__id__exact=debt.pk)


def _calls(request: HttpRequest, debtor: Debtor, filled: dict[str, Any] | None = None, **filters: Any) -> Listing:
    columns = {
        "Time": lambda call: when(call.begun_at or call.sent_at or call.created_at),
        "Caller": lambda call: _CALLERS[call.direction],
        "Number": lambda call: call.address or "-",
        "Outcome": lambda call: call.get_outcome_display() or "-",
        "Recorded by": lambda call: call.outcome_by or "-",
    }
    rows = CommunicationLog.objects.filter(communication_type__in=_CALL_CHANNELS, **filters).select_related(
        "outcome_by"
    )
    url = reverse("admin:debtors_debtor_record_call", args=[debtor.pk])
    add = f"{url}?{urlencode(filled or {})}" if may_record(request) else None
    in_list = filters | {"communication_type__in": ",".join(_CALL_CHANNELS)}
    return listing("Calls", rows.defer("body", "html"), columns, add=add, **in_list)


def may_record(request: HttpRequest) -> bool:
    """Return whether the user may record calls: the permission for call tasks is enough."""
    return request.user.has_perm("communications.finish_calltask")
