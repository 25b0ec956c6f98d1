"""Serializers of rate series, interest schedules and cost rules."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from collection.claims.costs import Parties
from collection.claims.interest import Compounding, DayCount, Reset
from collection.models.interest import CONFIDENCE
from ddc.common.api.fields import (
    BooleanField,
    ChoiceField,
    CountryField,
    CurrencyField,
    DateField,
    DecimalField,
    IntegerField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer
from ddc.common.money import LIMIT

_CONFIDENCE = [value for value, _ in CONFIDENCE]
_MOST = int(LIMIT) - 1


class PercentField(DecimalField):
    """A rate in percent a year, without zeros at the end in answers but with two decimals at least."""

    def __init__(self, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(places=5, least=least, most=1000, **kwargs)

    def to_representation(self, value: Decimal) -> str:
        short = value.normalize()
        return f"{value:.2f}" if short == round(short, 2) else f"{short:f}"


class NumberField(DecimalField):
    """A number of a cost table, stored as the text that was given."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(places=4, least=0, most=_MOST, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        number = super().to_internal_value(data)
        return f"{number.normalize():f}" if number != round(number, 2) else f"{number:.2f}"

    def to_representation(self, value: Any) -> str:
        return str(value)


class SeriesRateSerializer(CamelSerializer):
    """A published rate: from ``validFrom`` until the next one of its series."""

    id = serializers.UUIDField(read_only=True)
    series = TextField(max_length=30)
    valid_from = DateField()
    rate = PercentField(least=-100)
    source = TextField(max_length=500)  # type: ignore[assignment]
    created_at = TimeField(read_only=True)


class InterestScheduleSerializer(CamelSerializer):
    """A version of a schedule. ``noRateFrom`` is the first day without a known rate; null: the last one stays."""

    decisive = ("series", "margin", "fixed_percent", "reset", "half_yearly", "day_count", "compounding", "on_costs")
    null_means = {
        "series": "",
        "margin": Decimal(0),
        "reset": Reset.FLOATING.value,
        "half_yearly": False,
        "day_count": DayCount.ACT_365.value,
        "compounding": Compounding.NONE.value,
        "on_costs": False,
        "confidence": "primary",
    }

    id = serializers.UUIDField(read_only=True)
    code = TextField(max_length=30)
    version = IntegerField(read_only=True)
    name = TextField(max_length=150)
    series = TextField(max_length=30, required=False, allow_null=True)
    margin = PercentField(least=-1000, required=False, allow_null=True)
    fixed_percent = PercentField(required=False, allow_null=True)
    reset = ChoiceField([choice.value for choice in Reset], required=False, allow_null=True)
    half_yearly = BooleanField(required=False, allow_null=True)
    day_count = ChoiceField([choice.value for choice in DayCount], required=False, allow_null=True)
    compounding = ChoiceField([choice.value for choice in Compounding], required=False, allow_null=True)
    on_costs = BooleanField(required=False, allow_null=True)
    section = TextField(max_length=255)
    source = TextField(max_length=500)  # type: ignore[assignment]
    checked_on = DateField(required=False, allow_null=True)
    confidence = ChoiceField(_CONFIDENCE, required=False, allow_null=True)
    created_at = TimeField(read_only=True)


class InterestScheduleAnswerSerializer(InterestScheduleSerializer):
    no_rate_from = DateField(read_only=True, allow_null=True)


class DebtInterestInputSerializer(CamelSerializer):
    """By which schedule a debt bears interest from a day on; without a schedule, none."""

    schedule = TextField(max_length=30, allow_null=True)
    decisive = ("since",)

    since = DateField(required=False, allow_null=True)


class DebtInterestSerializer(DebtInterestInputSerializer):
    version = IntegerField(read_only=True, allow_null=True)
    no_rate_from = DateField(read_only=True, allow_null=True)


class StepSerializer(CamelSerializer):
    """A fixed amount for claims up to a sum; null: without an upper end."""

    up_to = NumberField(allow_null=True)
    amount = NumberField()


class BandSerializer(CamelSerializer):
    """A percentage of the part of a claim up to a sum; null: without an upper end."""

    up_to = NumberField(allow_null=True)
    percent = NumberField()


class FactorSerializer(CamelSerializer):
    """A factor by which the amount of a table is multiplied, and when it is used."""

    name = TextField(max_length=50)
    factor = NumberField()


class CostTableSerializer(CamelSerializer):
    """How an amount follows from a claim: by steps or bands, a factor, expenses and bounds."""

    null_means = {"below": False}
    decisive = (
        "bands",
        "steps",
        "below",
        "small",
        "factors",
        "share",
        "least",
        "most",
        "expenses_percent",
        "expenses_most",
    )

    steps = StepSerializer(many=True, required=False)
    bands = BandSerializer(many=True, required=False)
    below = BooleanField(required=False, allow_null=True)
    small = StepSerializer(required=False, allow_null=True)
    factors = FactorSerializer(many=True, required=False)
    share = NumberField(required=False, allow_null=True)
    least = NumberField(required=False, allow_null=True)
    most = NumberField(required=False, allow_null=True)
    expenses_percent = NumberField(required=False, allow_null=True)
    expenses_most = NumberField(required=False, allow_null=True)


def stored_table(given: dict[str, Any]) -> dict[str, Any]:
    """Return a table as rules store it, without what it leaves out."""
    pairs = {
        "steps": [[step["up_to"] or "", step["amount"]] for step in given.get("steps", ())],
        "bands": [[band["up_to"] or "", band["percent"]] for band in given.get("bands", ())],
        "factors": {factor["name"]: factor["factor"] for factor in given.get("factors", ())},
    }
    if small := given.get("small"):
        pairs["small"] = [small["up_to"] or "", small["amount"]]
    plain = {name: value for name, value in given.items() if name not in ("steps", "bands", "factors", "small")}
    return {name: value for name, value in (plain | pairs).items() if value}


def shown_table(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a table as the API shows it, every part of it."""
    small = stored.get("small")
    names = ("share", "least", "most", "expenses_percent", "expenses_most")
    return {
        "steps": [{"up_to": up_to or None, "amount": amount} for up_to, amount in stored.get("steps", ())],
        "bands": [{"up_to": up_to or None, "percent": percent} for up_to, percent in stored.get("bands", ())],
        "factors": [{"name": name, "factor": factor} for name, factor in stored.get("factors", {}).items()],
        "small": {"up_to": small[0] or None, "amount": small[1]} if small else None,
        "below": stored.get("below", False),
        **{name: stored.get(name) for name in names},
    }


class TableField(CostTableSerializer):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return stored_table(super().to_internal_value(data))

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return super().to_representation(shown_table(instance))


class CostRuleSerializer(CamelSerializer):
    """A version of a cost rule, for mandates from ``validFrom`` on until the next version."""

    decisive = ("component", "countries", "parties", "base_less_paid_in_time")
    null_means = {
        "component": "costs",
        "parties": Parties.ANY.value,
        "base_less_paid_in_time": False,
        "confidence": "primary",
    }

    id = serializers.UUIDField(read_only=True)
    code = TextField(max_length=30)
    name = TextField(max_length=150)
    component = ChoiceField(["costs", "fees"], required=False, allow_null=True)
    countries = serializers.ListField(child=CountryField(), required=False, max_length=50)
    currency_code = CurrencyField()
    parties = ChoiceField([choice.value for choice in Parties], required=False, allow_null=True)
    valid_from = DateField()
    table = TableField()
    base_less_paid_in_time = BooleanField(required=False, allow_null=True)
    section = TextField(max_length=255)
    source = TextField(max_length=500)  # type: ignore[assignment]
    checked_on = DateField(required=False, allow_null=True)
    confidence = ChoiceField(_CONFIDENCE, required=False, allow_null=True)
    created_at = TimeField(read_only=True)
