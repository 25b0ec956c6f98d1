"""The shapes of strategy rules and runs."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from collection.models import Segment
from communications.contact.gate import Code, Verdict
from communications.models import Channel, CommunicationTemplate
from ddc.common.api.fields import (
    BooleanField,
    ChoiceField,
    DateField,
    IntegerField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer
from strategy.models import Reason, StrategyRun

#: A hundred years; a date that far away is still one that PostgreSQL and Python know.
MOST_DAYS = 36_500
MOST_PRIORITY = 1_000_000


class TriggerTypeField(ChoiceField):
    """The kind of trigger. There is one, so it isn't kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=["TimeTrigger"], **kwargs)

    def get_attribute(self, instance: Any) -> str:
        return "TimeTrigger"


class TriggerSerializer(CamelSerializer):
    """When a rule fires: so many days after the debt's placement."""

    type = TriggerTypeField()
    days_since_placement = IntegerField(min_value=0, max_value=MOST_DAYS)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        trigger: dict[str, Any] = super().to_internal_value(data)
        trigger.pop("type", None)
        return trigger


class StrategyRuleSerializer(CamelSerializer):
    """Send this template to the debts of this segment when the trigger fires."""

    null_means = {"max_lateness_days": 3, "priority": 100, "is_active": True}
    never_null = ("channel",)

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=100)
    segment_id = ReferenceField(Segment.objects.all(), source="segment")
    channel = ChoiceField(choices=Channel.values, required=False, allow_null=True)
    template_id = ReferenceField(CommunicationTemplate.objects.all(), source="template")
    trigger = TriggerSerializer(source="*")
    max_lateness_days = IntegerField(min_value=0, max_value=MOST_DAYS, required=False, allow_null=True)
    priority = IntegerField(min_value=1, max_value=MOST_PRIORITY, required=False, allow_null=True)
    is_active = BooleanField(required=False, allow_null=True)
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)


class LeftOutSerializer(CamelSerializer):
    """How many debts a rule left alone for one reason."""

    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    count = serializers.IntegerField()


class RuleReportSerializer(CamelSerializer):
    """What one rule did in a run; of a dry one, what it would do."""

    rule_id = serializers.UUIDField()
    name = serializers.CharField()
    matched = serializers.IntegerField()
    queued = serializers.IntegerField()
    left_out = LeftOutSerializer(many=True)


class KeptTimeField(TimeField):
    """A time that a report keeps as text."""

    def to_representation(self, value: Any) -> str:
        return super().to_representation(datetime.fromisoformat(value))


class ContactReasonSerializer(CamelSerializer):
    """How many messages one rule of contact delays or forbids. What is forbidden isn't counted as delayed besides."""

    verdict = serializers.ChoiceField(choices=[Verdict.POSTPONE.value, Verdict.DENY.value])
    code = serializers.ChoiceField(choices=[code.value for code in Code])
    count = serializers.IntegerField()


class ContactOpeningSerializer(CamelSerializer):
    """How many of the delayed messages may go within the hour that begins then."""

    hour = KeptTimeField()
    count = serializers.IntegerField()


class ContactOutlookSerializer(CamelSerializer):
    """What the contact gate said, when the run was over, of all that it queued; of a dry run, of all that it would have."""

    at = KeptTimeField()
    allowed = serializers.IntegerField()
    postponed = serializers.IntegerField()
    denied = serializers.IntegerField()
    reasons = ContactReasonSerializer(many=True)
    openings = ContactOpeningSerializer(many=True)


class StrategyRunSerializer(CamelSerializer):
    """A run and its report."""

    id = serializers.UUIDField(read_only=True)
    status = serializers.ChoiceField(choices=StrategyRun.Status.values, read_only=True)
    dry_run = serializers.BooleanField(read_only=True)
    date = DateField(read_only=True)
    started_at = TimeField(read_only=True, allow_null=True)
    finished_at = TimeField(read_only=True, allow_null=True)
    failure_reason = serializers.CharField(read_only=True, allow_null=True)
    rules = RuleReportSerializer(many=True, read_only=True)
    contact = ContactOutlookSerializer(
        read_only=True, allow_null=True, help_text="Null until a worker has asked the contact gate."
    )
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)


class RunInputSerializer(CamelSerializer):
    """What run is wanted."""

    dry_run = BooleanField(required=False, allow_null=True)
    date = DateField(required=False, allow_null=True)
