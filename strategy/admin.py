"""Back office pages of strategy rules; those of runs and steps are in ``run_admin``."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import NEWEST, Listing
from ddc.common.admin.pages import when
from ddc.common.api.serializers import write
from strategy import conditions, rules, triggers
from strategy.models import StrategyRule
from strategy.rule_serializers import ConditionsSerializer
from strategy.run_admin import StrategyRunAdmin, StrategyStepAdmin, StrategyUnreachedAdmin
from strategy.withdrawal_admin import WithdrawalPage, waiting
from strategy.withdrawals import Selection

__all__ = ["StrategyRuleAdmin", "StrategyRunAdmin", "StrategyStepAdmin", "StrategyUnreachedAdmin"]


#: A form that leaves these out keeps their values.
_DEFAULTED = {"after_pause", "running_debts"}


class StrategyRuleForm(DomainForm):
    """A rule's form. Its subclass has the fields of all triggers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _DEFAULTED & set(self.fields):
            self.fields[name].required = False
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
        values = list(triggers.all_fields())
        pairs = [tuple(values[first : first + 2]) for first in range(0, len(values), 2)]
        trigger = ("trigger_type", *pairs) if may_edit else ("due",)
        return (
            "name",
            ("segment", "template"),
            "channel",
            *trigger,
            "conditions" if may_edit else "also",
            "after_pause",
            "max_lateness_days",
            ("priority", "is_active"),
            *(("running_debts", "messages") if obj else ()),
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

    def listings(self, request: HttpRequest, obj: StrategyRule) -> list[Listing]:
        headers = ("Version", "Published", "Running debts", "Due", "Conditions")
        rows = [
            (
                version.number,
                when(version.published_at),
                version.get_running_debts_display(),
                triggers.explain(version.content["trigger"]),
                conditions.explain(version.content["conditions"]) or "-",
            )
            for version in obj.versions.all()[:NEWEST]
        ]
        return [Listing("Versions", headers, rows)]

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
    others = {name: value for name, value in fields.items() if name not in own}
    return {"trigger": trigger} | {name: value for name, value in others.items() if value or name not in _DEFAULTED}
