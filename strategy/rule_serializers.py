"""Serializers of strategy rules: triggers, conditions, and the rule."""

import json
from typing import Any

from rest_framework import serializers

from collection.models import Segment
from communications.models import CommunicationTemplate
from ddc.common.api.fields import (
    BooleanField,
    ChoiceField,
    CountryField,
    CurrencyField,
    IntegerField,
    LanguageField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer, Field, camel_fields
from debtors.channels import Channel
from strategy import triggers
from strategy.models import AfterPause, RunningDebts

MAX_PRIORITY = 1_000_000


class TriggerSerializer(CamelSerializer):
    """When a rule is due: the type of its trigger, and the values that this type takes."""

    may_lack_fields = True
    decisive = tuple(triggers.all_fields())

    def get_fields(self) -> dict[str, Field]:
        values = {name: _value(field) for name, field in triggers.all_fields().items()}
        return {"type": ChoiceField(choices=list(triggers.TRIGGERS)), **camel_fields(values)}


def _value(field: triggers.Field) -> Field:
    if isinstance(field, triggers.Choice):
        return ChoiceField(choices=[value for value, _ in field.choices], required=False)
    return IntegerField(min_value=field.minimum, max_value=field.maximum, required=False)


class BalanceBandSerializer(CamelSerializer):
    """A band of balances in one currency, ``minimum <= x < maximum``."""

    decisive = ("minimum", "maximum")

    currency_code = CurrencyField()
    minimum = IntegerField(min_value=0, required=False, allow_null=True)
    maximum = IntegerField(min_value=1, required=False, allow_null=True)


class EarlierMessageSerializer(CamelSerializer):
    """Messages about the debt that have to have been sent before, or must not have been."""

    decisive = ("rule_id", "channel", "within_days")

    is_sent = BooleanField()
    rule_id = serializers.UUIDField(required=False, allow_null=True)
    channel = ChoiceField(choices=Channel.values, required=False, allow_null=True)
    within_days = IntegerField(min_value=1, max_value=triggers.MAX_DAYS, required=False, allow_null=True)


class ConditionsSerializer(CamelSerializer):
    """What a debt has to meet besides its segment; what is not named is not asked for."""

    may_lack_fields = True
    decisive = (
        "balances", "min_age_days", "max_age_days", "countries", "languages", "creditor_ids", "reachable", "earlier_messages",
    )  # fmt: skip

    balances = BalanceBandSerializer(many=True, required=False)
    min_age_days = IntegerField(min_value=0, max_value=triggers.MAX_DAYS, required=False)
    max_age_days = IntegerField(min_value=1, max_value=triggers.MAX_DAYS, required=False)
    countries = serializers.ListField(child=CountryField(), required=False, min_length=1, max_length=300)
    languages = serializers.ListField(child=LanguageField(), required=False, min_length=1, max_length=300)
    creditor_ids = serializers.ListField(child=serializers.UUIDField(), required=False, min_length=1, max_length=1000)
    reachable = serializers.ListField(
        child=ChoiceField(choices=Channel.values), required=False, min_length=1, max_length=9
    )
    earlier_messages = EarlierMessageSerializer(many=True, required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the conditions as they are stored, in JSON."""
        plain: dict[str, Any] = json.loads(json.dumps(super().to_internal_value(data), default=str))
        return plain


class StrategyRuleSerializer(CamelSerializer):
    """Send a template to the debts of a segment when the trigger is due."""

    decisive = ("channel", "conditions", "after_pause", "max_lateness_days", "is_active", "running_debts")
    null_means = {
        "max_lateness_days": 3, "priority": 100, "is_active": True, "conditions": {}, "after_pause": AfterPause.CATCH_UP.value,
        "running_debts": RunningDebts.MOVE.value,
    }  # fmt: skip
    never_null = ("channel",)

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=100)
    segment_id = ReferenceField(Segment.objects.all(), source="segment")
    channel = ChoiceField(choices=Channel.values, required=False, allow_null=True)
    template_id = ReferenceField(CommunicationTemplate.objects.all(), source="template")
    trigger = TriggerSerializer()
    conditions = ConditionsSerializer(required=False, allow_null=True)
    after_pause = ChoiceField(choices=AfterPause.values, required=False, allow_null=True)
    max_lateness_days = IntegerField(min_value=0, max_value=triggers.MAX_DAYS, required=False, allow_null=True)
    priority = IntegerField(min_value=1, max_value=MAX_PRIORITY, required=False, allow_null=True)
    is_active = BooleanField(required=False, allow_null=True)
    running_debts = ChoiceField(choices=RunningDebts.values, required=False, allow_null=True)
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)
