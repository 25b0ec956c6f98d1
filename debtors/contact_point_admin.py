"""The back office's pages about addresses: their history, what ended their use, and using them again."""

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from ddc.common.admin.forms import RuleForm
from ddc.common.admin.pages import RuledAdmin
from debtors import contact_points
from debtors.models import ContactPoint, Debtor, Medium, StopReason


class StopForm(RuleForm):
    """What ends the use of an address."""

    value = forms.CharField(
        label="Address",
        max_length=254,
        widget=UnfoldAdminTextInputWidget(),
        help_text="An e-mail address, or a phone number with its country's code. It counts whoever has it.",
    )
    medium = forms.ChoiceField(
        choices=[(Medium.EMAIL, "mail"), (Medium.SMS, "text messages"), (Medium.VOICE, "calls")],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = forms.ChoiceField(choices=StopReason.choices, widget=UnfoldAdminRadioSelectWidget())
    how = forms.CharField(
        label="How we know",
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as: said so in a call.",
    )

    class Meta:
        model = ContactPoint
        fields = ("value",)


class ReasonForm(forms.Form):
    """Why an address is used again."""

    how = forms.CharField(
        label="Why", max_length=200, widget=UnfoldAdminTextInputWidget(), help_text="Such as: asked for it in a call."
    )


class ConsentForm(forms.Form):
    """That somebody agreed to be written to, since when, and how we know."""

    consent_basis = forms.ChoiceField(
        label="How we know", choices=ContactPoint.Basis.choices, widget=UnfoldAdminRadioSelectWidget()
    )
    consented_at = forms.DateField(label="Agreed on", widget=UnfoldAdminDateWidget())


class StoppedFilter(admin.SimpleListFilter):
    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("messages", "No mail or text messages"), ("calls", "No calls")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        named = {"messages": Q(messages_stopped=True), "calls": Q(calls_stopped=True)}
        return queryset.filter(named[self.value()]) if self.value() in named else queryset  # type: ignore[index]


@admin.register(ContactPoint)
class ContactPointAdmin(RuledAdmin):
    form = StopForm
    list_display = ("value", "kind", "debtor", "ended_by", "consented_at", "verified_at", "bounces", "created_at")
    list_filter = (StoppedFilter, "kind", "created_at")
    list_select_related = ("debtor",)
    search_fields = ("value",)
    search_help_text = "A whole address, or part of the debtor's name"
    actions = ()
    actions_detail = ("consent", "use_again")
    fieldsets: Any = (
        (None, {"fields": (("value", "kind"), "debtor", ("ended_by", "created_at"))}),
        ("Agreed", {"fields": ("verified_at", ("consent_basis", "consented_at"))}),
        (
            "Mail or text messages",
            {"fields": (("opted_out_at", "opted_out_how"), ("opted_in_at", "opted_in_how"))},
        ),
        (
            "Calls",
            {"fields": (("calls_opted_out_at", "calls_opted_out_how"), ("calls_opted_in_at", "calls_opted_in_how"))},
        ),
        (
            "Faults",
            {
                "fields": (
                    ("bounces", "bounced_at", "bounced_how"),
                    ("complained_at", "complained_how"),
                    ("wrong_number_at", "wrong_number_how"),
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else ((None, {"fields": ("value", "medium", "reason", "how")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        lines = [line for _, group in self.fieldsets for line in group["fields"]]
        return tuple(name for line in lines for name in ((line,) if isinstance(line, str) else line))

    def search_filter(self, text: str) -> Q:
        of_debtors = Q(debtor__in=Debtor.objects.matching(text).values("pk"))
        return Q(value=text.lower()) | of_debtors

    @admin.display(description="Ended by")
    def ended_by(self, point: ContactPoint) -> str:
        return ", ".join(point.stops) or "-"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # An address that is forgotten would be written to again.

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def has_lift_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("debtors.change_contactpoint")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ContactPoint:
        medium = Medium(fields["medium"])
        contact_points.suppress(
            fields["value"],
            medium=medium,
            reason=StopReason(fields["reason"]),
            how=f"{fields['how']} ({request.user})",
            now=now(),
        )
        return contact_points.rows(fields["value"], medium).order_by("-updated_at", "-id")[0]

    def has_consent_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("debtors.note_consent")

    @action(description="They agreed", permissions=["consent"])  # type: ignore[untyped-decorator]
    def consent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            ConsentForm(request.POST or None, initial={"consented_at": now().date()}),
            lambda point, said: contact_points.note_consent(
                point, basis=said["consent_basis"], at=_moment(said["consented_at"], now=now()), now=now()
            ),
            title="They agreed to be written to there",
            button="Save",
            done="Their consent is noted.",
        )

    @action(description="Use again", permissions=["lift"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def use_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            ReasonForm(request.POST or None),
            lambda point, fields: contact_points.use_again(point, how=f"{fields['how']} ({request.user})", now=now()),
            title="Use this address again",
            button="Use again",
            done="The address is used again.",
        )


def _moment(day: date, *, now: datetime) -> datetime:
    """Return from when a consent counts: today's from now on, an earlier one from the beginning of its day.

    So a refusal on that earlier day counts for more, whichever was first.
    """
    return now if day == now.date() else datetime.combine(day, time.min, UTC)
