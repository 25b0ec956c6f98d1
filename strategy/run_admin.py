"""Back office pages of strategy runs with their reports, and of steps."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import now

from collection import search
from communications.models import CommunicationLog
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import ReadOnlyAdmin, when
from ddc.common.days import agency_today
from strategy import explain, reports, runs
from strategy.models import Reason, StrategyRun, StrategyStep, StrategyUnreached
from strategy.withdrawal_admin import WithdrawalPage


@admin.register(StrategyRun)
class StrategyRunAdmin(WithdrawalPage):
    """Runs are started and read here, and never changed."""

    withdrawal_selector = "run"
    actions_detail = ("withdraw_messages",)

    list_display = ("date", "status", "dry_run", "is_daily", "queued", "started_at", "finished_at", "started_by")
    list_filter = ("status", "dry_run", "date")
    list_select_related = ("started_by",)
    readonly_fields = (
        "status",
        "is_daily",
        "started_at",
        "finished_at",
        "started_by",
        "progress",
        "report",
        "simulated",
        "outcomes",
        "forecast",
        "failure_reason",
    )
    add_fieldsets = ((None, {"fields": (("date", "until"), "dry_run")}),)
    fieldsets = (
        (None, {"fields": (("date", "status"), ("dry_run", "is_daily"), ("started_at", "finished_at"), "started_by")}),
        ("Report", {"fields": ("progress", "report", "simulated", "outcomes", "forecast", "failure_reason")}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"date": agency_today(now()), **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> StrategyRun:
        day, until = fields["date"], fields.get("until")
        return runs.plan(dry_run=fields["dry_run"], day=day, until=until, by=request.user, now=now())  # type: ignore[arg-type]

    @admin.display(description="Queued")
    def queued(self, run: StrategyRun) -> int:
        return sum(line.get("queued", 0) for line in run.rules)

    @admin.display(description="Rules")
    def report(self, run: StrategyRun) -> str:
        rows = [
            (line["name"], f"{line['matched']:,}", self._queued_by(run, line), _left_out(line["left_out"]))
            for line in run.rules
        ]
        headers = ("Rule", "Matched", "Would queue" if run.dry_run else "Queued", "Left out")
        return render_to_string("admin/table.html", {"table": {"headers": headers, "rows": rows}})

    def _queued_by(self, run: StrategyRun, line: dict[str, Any]) -> str:
        """Return the number of messages that a rule queued, with a link to them."""
        count = f"{line['queued']:,}"
        if run.dry_run or not line["queued"]:
            return count
        query = urlencode({"run__id__exact": run.pk, "rule__id__exact": line["rule_id"]})
        return format_html('<a href="{}?{}">{}</a>', reverse("admin:strategy_strategystep_changelist"), query, count)

    @admin.display(description="Progress")
    def progress(self, run: StrategyRun) -> str:
        """Show how much of a run is done, and how fast."""
        if run.status != StrategyRun.Status.RUNNING or run.started_at is None:
            return "-"
        found = run.slices.aggregate(done=Count("pk", filter=Q(done_at__isnull=False)), total=Count("pk"))
        queued = sum(line["queued"] for line in run.rules)
        seconds = max((now() - run.started_at).total_seconds(), 1)
        return format_html(
            '<progress value="{}" max="{}" aria-label="Progress"></progress> {} of {} slices, {} messages, {} a second',
            found["done"], max(found["total"], 1), found["done"], found["total"], f"{queued:,}", f"{queued / seconds:,.0f}",
        )  # fmt: skip

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().changeform_view(request, *args, **kwargs)
        under_way = (StrategyRun.Status.PLANNED, StrategyRun.Status.RUNNING)
        shown = getattr(response, "context_data", None) or {}
        if shown.get("original") is not None and shown["original"].status in under_way:
            response["Refresh"] = "3"  # The page shows the progress without a script.
        return response

    @admin.display(description="Simulated days")
    def simulated(self, run: StrategyRun) -> str:
        counts = ("queued", "sent", "waiting", "denied")
        rows = [
            (
                day["date"],
                line["name"],
                line["channel"],
                line["country"] or "-",
                *(f"{line[name]:,}" for name in counts),
            )
            for day in run.days or []
            for line in day["lines"]
        ]
        if not rows:
            return "-"
        headers = ("Day", "Rule", "Channel", "Country", "Queued", "Sent", "Waiting", "Denied")
        return render_to_string("admin/table.html", {"table": {"headers": headers, "rows": rows}})

    @admin.display(description="Messages now")
    def outcomes(self, run: StrategyRun) -> str:
        rows = [
            (each.status, (each.code or "").replace("_", " ").capitalize() or "-", each.count)
            for each in reports.outcomes(run)
        ]
        headers = ("Status", "Reason", "Messages")
        return render_to_string("admin/table.html", {"table": {"headers": headers, "rows": rows}}) if rows else "-"

    @admin.display(description="Contact forecast")
    def forecast(self, run: StrategyRun) -> str:
        return _forecast(run.contact) if run.contact else "Not calculated yet." if run.status == "done" else "-"

    def listings(self, request: HttpRequest, obj: StrategyRun) -> list[Listing]:
        if obj.dry_run:
            return []
        steps = StrategyStep.objects.filter(run=obj).select_related("rule", "debt").order_by("-message")
        return [
            listing(
                "Queued messages",
                steps,
                {"Rule": lambda step: step.rule, "Debt": lambda step: step.debt, "Due": lambda step: step.occurrence},
                run__id__exact=obj.pk,
            )
        ]


@admin.register(StrategyStep)
class StrategyStepAdmin(ReadOnlyAdmin):
    list_display = ("occurrence", "rule", "debt", "run", "message")
    list_filter = ("occurrence",)
    list_select_related = ("rule", "debt", "run", "message")
    search_fields = ("message",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of the reference"
    ordering = ("-message",)

    def search_filter(self, text: str) -> Q:
        return Q(message__in=CommunicationLog.objects.filter(debt__in=search.debts(text)).values("pk"))


@admin.register(StrategyUnreached)
class StrategyUnreachedAdmin(ReadOnlyAdmin):
    list_display = ("debt", "reason", "since")
    list_filter = ("reason",)
    list_select_related = ("debt",)
    search_fields = ("debt",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of the reference"

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text))


def _left_out(reasons: list[dict[str, Any]]) -> str:
    """Describe the reasons, the most frequent first."""
    most = sorted(reasons, key=lambda each: -each["count"])
    words = format_html_join(
        mark_safe("<br>"), "{} {}", ((f"{each['count']:,}", explain.REASONS[Reason(each["reason"])]) for each in most)
    )
    return words or "-"


_VERDICTS = (("May go now", "allowed", None), ("Postponed", "postponed", "postpone"), ("Denied", "denied", "deny"))


def _forecast(contact: dict[str, Any]) -> str:
    """Show the number of a run's messages that may go now, later or never, with reasons and times."""
    hours = format_html_join(
        mark_safe("<br>"),
        "{} from {}",
        ((each["count"], when(datetime.fromisoformat(each["hour"]))) for each in contact["openings"]),
    )
    rows = []
    for title, total, verdict in _VERDICTS:
        reasons = [f"{each['count']} {each['code']}" for each in contact["reasons"] if each["verdict"] == verdict]
        rows.append((title, contact[total], ", ".join(reasons) or "-", (total == "postponed" and hours) or "-"))
    headers = (
        f"As of {when(datetime.fromisoformat(contact['at']))}",
        "Messages",
        "Reasons",
        "May go",
    )
    return render_to_string("admin/table.html", {"table": {"headers": headers, "rows": rows}})
