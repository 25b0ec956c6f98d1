"""Serializers of strategy runs, of the plan of a debt, and of withdrawals."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from communications.models import MessageStatus
from contact.engine.decision import ReasonCode, Verdict
from creditors import creditors
from ddc.common.api.fields import (
    BooleanField,
    DateField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer, Field
from debtors.channels import Channel
from debtors.models import Debtor
from strategy.explain import State
from strategy.models import Reason, StrategyRule, StrategyRun


class LeftOutSerializer(CamelSerializer):
    """The number of debts that a rule left out for one reason."""

    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    count = serializers.IntegerField()


class RuleReportSerializer(CamelSerializer):
    """The result of one rule in a run."""

    rule_id = serializers.UUIDField()
    name = serializers.CharField()
    matched = serializers.IntegerField()
    queued = serializers.IntegerField()
    left_out = LeftOutSerializer(many=True)


class StoredTimeField(TimeField):
    """A time that a report stores as text."""

    def to_representation(self, value: Any) -> str:
        return super().to_representation(datetime.fromisoformat(value))


class ContactReasonSerializer(CamelSerializer):
    """The number of messages that one reason postpones or denies. A denied message does not count as postponed."""

    verdict = serializers.ChoiceField(choices=[Verdict.POSTPONE.value, Verdict.DENY.value])
    code = serializers.ChoiceField(choices=[code.value for code in ReasonCode])
    count = serializers.IntegerField()


class ContactOpeningSerializer(CamelSerializer):
    """The number of postponed messages that may go within the hour that begins then."""

    hour = StoredTimeField()
    count = serializers.IntegerField()


class ContactForecastSerializer(CamelSerializer):
    """The contact gate's decisions, as of the end of the run, on all messages that it queued or, if dry, would queue."""

    at = StoredTimeField()
    allowed = serializers.IntegerField()
    postponed = serializers.IntegerField()
    denied = serializers.IntegerField()
    reasons = ContactReasonSerializer(many=True)
    openings = ContactOpeningSerializer(many=True)


class SimulatedLineSerializer(CamelSerializer):
    """The messages of one rule, channel and country on a simulated day."""

    rule_id = serializers.UUIDField()
    name = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.values)
    country = serializers.CharField(allow_null=True, help_text="ISO 3166-1 alpha-2; null: unknown.")
    queued = serializers.IntegerField()
    sent = serializers.IntegerField(
        help_text="The contact rules allow them on that day; some may have been queued before."
    )
    waiting = serializers.IntegerField(help_text="The contact rules postpone them to a later day.")
    denied = serializers.IntegerField()


class SimulatedDaySerializer(CamelSerializer):
    date = serializers.DateField()
    lines = SimulatedLineSerializer(many=True)


class StrategyRunSerializer(CamelSerializer):
    """A run and its report."""

    id = serializers.UUIDField(read_only=True)
    status = serializers.ChoiceField(choices=StrategyRun.Status.values, read_only=True)
    dry_run = serializers.BooleanField(read_only=True)
    date = DateField(read_only=True)
    until = DateField(read_only=True, allow_null=True, help_text="The last day of a simulation.")
    started_at = TimeField(read_only=True, allow_null=True)
    finished_at = TimeField(read_only=True, allow_null=True)
    failure_reason = serializers.CharField(read_only=True, allow_null=True)
    rules = RuleReportSerializer(many=True, read_only=True)
    contact = ContactForecastSerializer(
        read_only=True, allow_null=True, help_text="Null until a worker has calculated it."
    )
    days = SimulatedDaySerializer(many=True, read_only=True, allow_null=True, help_text="Of a simulation; else null.")
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)


class PlanStepSerializer(CamelSerializer):
    """A rule for a debt by one anchor, the record that started its clock."""

    rule_id = serializers.UUIDField(source="rule.pk")
    rule_name = serializers.CharField(source="rule.name")
    channel = serializers.ChoiceField(choices=Channel.values, source="rule.channel")
    trigger = serializers.CharField(help_text="In words.")
    anchor_id = serializers.UUIDField(
        source="anchor", allow_null=True, help_text="Null: nothing has started its clock yet."
    )
    date = DateField(source="day", allow_null=True, help_text="When the rule is or was due.")
    state = serializers.ChoiceField(choices=[state.value for state in State])
    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason], allow_null=True)
    explanation = serializers.CharField()
    message_id = serializers.UUIDField(allow_null=True)


class PlanSerializer(CamelSerializer):
    """What the strategy did with a debt, does next, and leaves out."""

    segment_id = serializers.UUIDField(source="segment.pk", allow_null=True)
    segment_name = serializers.CharField(source="segment.name", allow_null=True)
    segment_reason = serializers.CharField()
    steps = PlanStepSerializer(many=True)


class OutcomeSerializer(CamelSerializer):
    """A number of messages with one status now, and for blocked ones with one reason code."""

    status = serializers.ChoiceField(choices=MessageStatus.values, read_only=True)
    code = serializers.ChoiceField(choices=[code.value for code in ReasonCode], read_only=True, allow_null=True)
    count = serializers.IntegerField(read_only=True)


class OutcomesSerializer(CamelSerializer):
    data = OutcomeSerializer(many=True, read_only=True)  # type: ignore[assignment]


class WithdrawalInputSerializer(CamelSerializer):
    """Withdraw the queued messages of exactly one rule, run, creditor or debtor."""

    decisive = ("rule_id", "run_id", "original_creditor", "debtor_id", "dry_run", "reason")
    needs_one = ("rule_id", "run_id", "original_creditor", "debtor_id")

    dry_run = BooleanField(help_text="True only counts.")
    rule_id = ReferenceField(StrategyRule.objects.all(), required=False, allow_null=True, source="rule")
    run_id = ReferenceField(StrategyRun.objects.all(), required=False, allow_null=True, source="run")
    original_creditor = TextField(max_length=255, required=False, allow_null=True, help_text="A name or alias.")
    debtor_id = ReferenceField(Debtor.objects.all(), required=False, allow_null=True, source="debtor")
    reason = TextField(max_length=300, required=False, allow_null=True, help_text="Kept with each message.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the creditor by its name."""
        if name := attrs.pop("original_creditor", None):
            attrs["creditor"] = creditors.find(name)
            if attrs["creditor"] is None:
                error = serializers.ErrorDetail("There is no creditor of this name.", "database.exists")
                raise serializers.ValidationError({"originalCreditor": [error]})
        return attrs


class StatusCountSerializer(CamelSerializer):
    status = serializers.ChoiceField(choices=MessageStatus.values, read_only=True)
    count = serializers.IntegerField(read_only=True)


class WithdrawalSerializer(CamelSerializer):
    """What was stopped, or would be by a request that is not dry, and what cannot be."""

    dry_run = serializers.BooleanField(read_only=True)
    withdrawn = serializers.IntegerField(read_only=True, help_text="Messages that are not handed over yet.")
    call_tasks = serializers.IntegerField(read_only=True, help_text="Calls that no agent has begun.")
    not_stopped = StatusCountSerializer(
        many=True, read_only=True, help_text="Messages of the last 7 days that were handed over or are just now."
    )


class RunInputSerializer(CamelSerializer):
    """The run to plan: of one ``date``, or a simulation ``from`` a day ``to`` another one."""

    decisive = ("date", "from", "to")

    dry_run = BooleanField()
    date = DateField(required=False, allow_null=True)
    to = DateField(required=False, allow_null=True, source="until", help_text="The last day of a simulation.")

    def get_fields(self) -> dict[str, Field]:
        first = DateField(required=False, allow_null=True, source="first", help_text="The first day of a simulation.")
        return {**super().get_fields(), "from": first}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a simulation's first day as the day of the run."""
        first, until = attrs.pop("first", None), attrs.get("until")
        if (first is None) != (until is None) or (first and attrs.get("date")):
            error = serializers.ErrorDetail("Give from and to for a simulation, or date for one day.", "required")
            raise serializers.ValidationError({"to" if first and not until else "from": [error]})
        return attrs | ({"date": first} if first else {})
