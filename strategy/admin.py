"""The back office's pages about the strategy: its rules, the runs and what they report, and what each rule fired."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.timezone import now

from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import ReadOnlyAdmin, RuledAdmin
from debtors.models import Debtor
from strategy import rules, runs
from strategy.models import StrategyRule, StrategyRun, StrategyStep

_MOST_DAYS = 36_500


@admin.register(StrategyRule)
class StrategyRuleAdmin(RuledAdmin):
    list_display = ("name", "segment", "channel", "template", "days_since_placement", "priority", "is_active")
    list_filter = ("is_active", "channel")
    list_select_related = ("segment", "template")
    search_fields = ("name",)
    ordering = ("priority", "created_at")
    autocomplete_fields = ("segment", "template")
    readonly_fields = ("channel",)
    fields = (
        "name",
        ("segment", "template"),
        "channel",
        ("days_since_placement", "max_lateness_days"),
        ("priority", "is_active"),
    )
    bounds = {
        "days_since_placement": (0, _MOST_DAYS),
        "max_lateness_days": (0, _MOST_DAYS),
        "priority": (1, 1_000_000),
    }

    def search_filter(self, text: str) -> Q:
        return Q(name__icontains=text)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> StrategyRule:
        return rules.create(**fields)

    def amend(self, request: HttpRequest, obj: StrategyRule, changes: dict[str, Any]) -> StrategyRule:
        return rules.amend(obj, **changes)

    def remove(self, request: HttpRequest, obj: StrategyRule) -> None:
        rules.delete(obj)


@admin.register(StrategyRun)
class StrategyRunAdmin(RuledAdmin):
    """A run is started here, and looked at; nobody changes one."""

    list_display = ("date", "status", "dry_run", "is_daily", "queued", "started_at", "finished_at", "started_by")
    list_filter = ("status", "dry_run", "date")
    list_select_related = ("started_by",)
    readonly_fields = (
        "status",
        "is_daily",
        "started_at",
        "finished_at",
        "started_by",
        "report",
        "outlook",
        "failure_reason",
    )
    add_fieldsets = ((None, {"fields": (("date", "dry_run"),)}),)
    fieldsets = (
        (None, {"fields": (("date", "status"), ("dry_run", "is_daily"), ("started_at", "finished_at"), "started_by")}),
        ("Report", {"fields": ("report", "outlook", "failure_reason")}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"date": now().date(), **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> StrategyRun:
        return runs.plan(dry_run=fields["dry_run"], day=fields["date"], by=request.user, now=now())  # type: ignore[arg-type]

    @admin.display(description="Queued")
    def queued(self, run: StrategyRun) -> int:
        return sum(line.get("queued", 0) for line in run.rules)

    @admin.display(description="Per rule")
    def report(self, run: StrategyRun) -> str:
        rows = [
            (
                line.get("name", ""),
                line.get("matched", 0),
                line.get("queued", 0),
                ", ".join(f"{left['count']} {left['reason'].replace('_', ' ')}" for left in line.get("left_out", []))
                or "-",
            )
            for line in run.rules
        ]
        headers = ("Rule", "Matched", "Would queue" if run.dry_run else "Queued", "Left out")
        return render_to_string("admin/table.html", {"table": {"headers": headers, "rows": rows}})

    @admin.display(description="Contact gate")
    def outlook(self, run: StrategyRun) -> str:
        return _outlook(run.contact) if run.contact else "Not asked yet." if run.status == "done" else "-"

    def listings(self, request: HttpRequest, obj: StrategyRun) -> list[Listing]:
        if obj.dry_run:
            return []
        steps = StrategyStep.objects.filter(run=obj).select_related("rule", "debt").order_by("-log")
        return [
            listing(
                "What it fired",
                steps,
                {"Rule": lambda step: step.rule, "Debt": lambda step: step.debt, "Due": lambda step: step.occurrence},
                run__id__exact=obj.pk,
            )
        ]


@admin.register(StrategyStep)
class StrategyStepAdmin(ReadOnlyAdmin):
    list_display = ("occurrence", "rule", "debt", "run", "log")
    list_filter = ("occurrence",)
    list_select_related = ("rule", "debt", "run", "log")
    search_fields = ("log",)
    search_help_text = "Part of the debtor's name or e-mail address, or the debt's reference"
    ordering = ("-log",)

    def search_filter(self, text: str) -> Q:
        debtors = Debtor.objects.matching(text).values("pk")
        return Q(log__debt__external_reference=text) | Q(log__debtor__in=debtors)


_SAID = (("May go at once", "allowed"), ("Later", "postponed"), ("Never", "denied"))
_VERDICTS = {"postponed": "postpone", "denied": "deny"}


def _outlook(contact: dict[str, Any]) -> str:
    """Show what the gate said of a run's messages: how many go at once, later and from when on, or never, and why."""
    hours = ", ".join(
        f"{opening['count']} from {datetime.fromisoformat(opening['hour']):%d %b %H:%M}"
        for opening in contact["openings"]
    )
    rows = [
        (title, contact[name], _reasons(contact, name) or "-", hours if name == "postponed" and hours else "-")
        for title, name in _SAID
    ]
    headers = (
        f"Asked {datetime.fromisoformat(contact['at']):%Y-%m-%d %H:%M} UTC",
        "Messages",
        "Why",
        "From when on (UTC)",
    )
    return render_to_string("admin/table.html", {"table": {"headers": headers, "rows": rows}})


def _reasons(contact: dict[str, Any], name: str) -> str:
    told = [reason for reason in contact["reasons"] if reason["verdict"] == _VERDICTS.get(name)]
    return ", ".join(f"{reason['count']} {reason['code']}" for reason in told)
