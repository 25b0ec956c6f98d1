"""Back office pages of the strategy: rules, runs with their reports, and steps."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from collection import search
from communications.models import CommunicationLog
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, listing
from ddc.common.admin.pages import ReadOnlyAdmin, when
from ddc.common.api.serializers import write
from ddc.common.days import agency_today
from strategy import conditions, reports, rules, runs, triggers
from strategy.models import StrategyRule, StrategyRun, StrategyStep
from strategy.serializers import ConditionsSerializer
from strategy.withdrawal_admin import WithdrawalPage, waiting
from strategy.withdrawals import Selection


class StrategyRuleForm(DomainForm):
    """A rule's form. Its subclass has the fields of all triggers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if trigger := self.instance.trigger:
            self.initial.update(trigger, trigger_type=trigger["type"])
            self.initial["conditions"] = write(ConditionsSerializer, self.instance.conditions)

    def clean_conditions(self) -> dict[str, Any]:
        """Check the conditions as the API does."""
        given = self.cleaned_data["conditions"] or {}
        unknown = set(given) - set(ConditionsSerializer().fields) if isinstance(given, dict) else set()
        if unknown:
            raise forms.ValidationError(f"There is no condition {', '.join(sorted(unknown))}.")
        checked = ConditionsSerializer(data=given)
        if not checked.is_valid():
            raise forms.ValidationError([f"{name}: {errors}" for name, errors in checked.errors.items()])
        return dict(checked.validated_data)


def _trigger_fields() -> dict[str, forms.Field]:
    """Return the form fields of all triggers."""
    kinds = [(kind, trigger.label) for kind, trigger in triggers.TRIGGERS.items()]
    return {
        "trigger_type": forms.ChoiceField(label="Trigger", choices=kinds, widget=UnfoldAdminSelectWidget()),
        **{name: _value_field(field) for name, field in triggers.all_fields().items()},
    }


def _value_field(field: triggers.Field) -> forms.Field:
    words: dict[str, Any] = {"label": field.label, "help_text": field.help_text, "required": False}
    if isinstance(field, triggers.Choice):
        return forms.ChoiceField(choices=[("", "-"), *field.choices], widget=UnfoldAdminSelectWidget(), **words)
    widget = UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(min_value=field.minimum, max_value=field.maximum, widget=widget, **words)


@admin.register(StrategyRule)
class StrategyRuleAdmin(WithdrawalPage):
    withdrawal_selector = "rule"
    actions_detail = ("withdraw_messages",)
    list_display = ("name", "segment", "channel", "template", "due", "priority", "is_active")
    list_filter = ("is_active", "channel")
    list_select_related = ("segment", "template")
    search_fields = ("name",)
    ordering = ("priority", "created_at")
    autocomplete_fields = ("segment", "template")
    readonly_fields = ("channel", "due", "also", "messages")
    form = StrategyRuleForm
    bounds = {"max_lateness_days": (0, triggers.MAX_DAYS), "priority": (1, 1_000_000)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[forms.Form]:
        form = type("StrategyRuleForm", (self.form,), dict(_trigger_fields()))
        return super().get_form(request, obj, change=change, form=form, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        trigger = ("trigger_type", *triggers.all_fields()) if may_edit else ("due",)
        return (
            "name",
            ("segment", "template"),
            "channel",
            trigger,
            "conditions" if may_edit else "also",
            "after_pause",
            "max_lateness_days",
            ("priority", "is_active"),
            *(("messages",) if obj else ()),
        )

    @admin.display(description="Queued messages")
    def messages(self, rule: StrategyRule) -> str:
        return f"{waiting(Selection(rule=rule))} wait. Switching the rule off withdraws them."

    @admin.display(description="Due")
    def due(self, rule: StrategyRule) -> str:
        return triggers.explain(rule.trigger)

    @admin.display(description="Conditions")
    def also(self, rule: StrategyRule) -> str:
        return conditions.explain(rule.conditions) or "-"

    def search_filter(self, text: str) -> Q:
        return Q(name__icontains=text)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> StrategyRule:
        return rules.create(**_with_trigger(fields))

    def amend(self, request: HttpRequest, obj: StrategyRule, changes: dict[str, Any]) -> StrategyRule:
        return rules.amend(obj, now=now(), **_with_trigger(changes))

    def remove(self, request: HttpRequest, obj: StrategyRule) -> None:
        rules.delete(obj)


def _with_trigger(fields: dict[str, Any]) -> dict[str, Any]:
    """Put the fields of the trigger together."""
    own = {"trigger_type", *triggers.all_fields()}
    trigger = {name.removeprefix("trigger_"): value for name, value in fields.items() if name in own}
    return {"trigger": trigger} | {name: value for name, value in fields.items() if name not in own}


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
        "report",
        "outcomes",
        "forecast",
        "failure_reason",
    )
    add_fieldsets = ((None, {"fields": (("date", "dry_run"),)}),)
    fieldsets = (
        (None, {"fields": (("date", "status"), ("dry_run", "is_daily"), ("started_at", "finished_at"), "started_by")}),
        ("Report", {"fields": ("report", "outcomes", "forecast", "failure_reason")}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"date": agency_today(now()), **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> StrategyRun:
        return runs.plan(dry_run=fields["dry_run"], day=fields["date"], by=request.user, now=now())  # type: ignore[arg-type]

    @admin.display(description="Queued")
    def queued(self, run: StrategyRun) -> int:
        return sum(line.get("queued", 0) for line in run.rules)

    @admin.display(description="Rules")
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
