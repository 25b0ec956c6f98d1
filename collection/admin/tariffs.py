"""Admin pages of rate series, interest schedules and cost rules. Rows are added and then read-only."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from collection.models import CostRule, InterestSchedule, SeriesRate
from collection.tariffs import cost_rules, rates, schedules
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import WorkflowAdmin
from ddc.common.days import agency_today


class _RulePage(WorkflowAdmin):
    """A list of rules that shows which rates are missing."""

    actions = ()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET":
            for missing in schedules.missing_rates(agency_today(now())):
                self.message_user(request, _warning(missing), messages.WARNING)
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]


def _warning(missing: schedules.MissingRate) -> str:
    needed = ", ".join(missing.schedules)
    since = "No rate is known" if _is_never(missing.since) else f"No rate is known from {missing.since} on"
    return f"{missing.series}: {since}, so no interest is posted by {needed}. Add the rate, or load it with load_rates."


def _is_never(day: date) -> bool:
    return day.year <= 1970


@admin.register(SeriesRate)
class SeriesRateAdmin(_RulePage):
    list_display = ("series", "valid_from", "percent", "source", "created_at")
    list_filter = ("series",)
    search_fields = ("series",)
    entered = (("series", "valid_from"), "rate", "source")
    fieldsets = ((None, {"fields": (*entered, "created_at")}),)
    bounds = {"rate": (rates.LEAST, rates.MOST)}
    percent = column("Rate", lambda row: f"{row.rate.normalize():f} %", ordering="rate")

    def search_filter(self, text: str) -> Q:
        return Q(series__icontains=text) | Q(source__icontains=text)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> SeriesRate:
        return rates.add(**fields)


@admin.register(InterestSchedule)
class InterestScheduleAdmin(_RulePage):
    list_display = ("code", "version", "name", "rule", "day_count", "compounding", "known", "section")
    list_display_links = ("code", "version")
    search_fields = ("code",)
    entered = (
        ("code", "name"),
        ("series", "margin"),
        ("fixed_percent", "reset"),
        ("half_yearly", "on_costs"),
        ("day_count", "compounding"),
        ("section", "source"),
        ("checked_on", "confidence"),
    )
    fieldsets = ((None, {"fields": (*entered, ("version", "by"), "known")}),)
    readonly_fields = ("known",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InterestSchedule]:
        return schedules.with_rates(super().get_queryset(request))

    def search_filter(self, text: str) -> Q:
        return Q(code__icontains=text) | Q(name__icontains=text)

    @admin.display(description="Rate")
    def rule(self, schedule: InterestSchedule) -> str:
        if schedule.fixed_percent is not None:
            return f"{schedule.fixed_percent.normalize():f} %"
        return f"{schedule.series} + {schedule.margin.normalize():f}"

    @admin.display(description="No rate known from")
    def known(self, schedule: InterestSchedule) -> str:
        since = schedule.no_rate_from
        return "-" if since is None else "any day" if _is_never(since) else str(since)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> InterestSchedule:
        return schedules.add(**fields, by=request.user)  # type: ignore[arg-type]


class CostRuleForm(DomainForm):
    class Meta:
        help_texts = {
            "table": "Steps or bands, with numbers as text: {&quot;steps&quot;: [[&quot;500&quot;, &quot;51.50&quot;], "
            "[&quot;&quot;, &quot;93.00&quot;]]}. An empty sum has no upper end."
        }

    def clean_table(self) -> Any:
        table = self.cleaned_data["table"]
        try:
            cost_rules.check_table(table)
        except cost_rules.BadTable as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from refusal
        return table


@admin.register(CostRule)
class CostRuleAdmin(_RulePage):
    form = CostRuleForm
    list_display = ("code", "valid_from", "name", "component", "currency_code", "parties", "section")
    list_display_links = ("code", "valid_from")
    list_filter = ("component", "parties")
    search_fields = ("code",)
    entered = (
        ("code", "name"),
        ("component", "parties"),
        ("countries", "currency_code"),
        ("valid_from", "base_less_paid_in_time"),
        "table",
        ("section", "source"),
        ("checked_on", "confidence"),
    )
    fieldsets = ((None, {"fields": (*entered, ("by", "created_at"))}),)

    def search_filter(self, text: str) -> Q:
        return Q(code__icontains=text) | Q(name__icontains=text) | Q(section__icontains=text)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> CostRule:
        return cost_rules.add(**fields, by=request.user)  # type: ignore[arg-type]
