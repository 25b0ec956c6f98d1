"""Withdraw queued messages from the page of a strategy rule, a run, a creditor or a debtor."""

from collections.abc import Iterator

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from communications.sending import withdrawal
from communications.sending.withdrawal import Withdrawn
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.workflow import offered
from strategy import withdrawals
from strategy.withdrawals import Selection

#: The page of a rule counts its waiting messages up to here.
MAX_COUNT = 10_000


class WithdrawalForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It is kept with each message that is withdrawn.",
    )


class WithdrawalPage(DomainAdmin):
    """A page with a button that withdraws the queued messages of its row."""

    #: What its rows are in a selection.
    withdrawal_selector: str

    has_withdraw_permission = offered(Q(), withdrawals.PERMISSION)

    @action(description="Withdraw queued messages", permissions=["withdraw"])  # type: ignore[untyped-decorator]
    def withdraw_messages(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how many messages would be stopped and how many would not, and withdraw them once that is confirmed."""
        obj = self.one(request, object_id)
        selection = Selection(**{self.withdrawal_selector: obj})
        form = WithdrawalForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                found = withdrawals.withdraw(selection, by=request.user, now=now(), **form.cleaned_data)  # type: ignore[arg-type]
                self.log_change(request, obj, f"Withdrew {found.messages} queued messages")
            self.message_user(request, " ".join(_lines(found, "were")), messages.SUCCESS)
            return HttpResponseRedirect(self.page_of(object_id))
        found = withdrawals.preview(selection, now=now())
        rows = [obj, *_lines(found, "will be")]
        return self.ask(request, title="Withdraw queued messages", form=form, rows=rows, button="Withdraw messages")


def _lines(found: Withdrawn, verb: str) -> Iterator[str]:
    """Describe how much is stopped and how much is not."""
    yield f"Messages that {verb} withdrawn: {found.messages:,}."
    yield f"Calls to make that {verb} withdrawn: {found.call_tasks:,}."
    gone = ", ".join(f"{count:,} {status}" for status, count in found.not_stopped.items())
    yield f"Messages of the last 7 days that cannot be stopped: {gone or 'none'}."


def waiting(selection: Selection) -> str:
    """Count the messages of a selection that wait, up to ``MAX_COUNT``."""
    count = withdrawal.stoppable(selection.condition)[: MAX_COUNT + 1].count()
    return f"{count:,}" if count <= MAX_COUNT else f"more than {MAX_COUNT:,}"
