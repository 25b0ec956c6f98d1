"""Serializers of a debt's account: components, the amount that closes it, charges, waivers and write-offs."""

from typing import Any, ClassVar

from rest_framework import serializers

from collection.balances.accounts import Payoff
from collection.charges import Reason
from collection.claims.components import NAMES, Components
from collection.serializers import ComponentsSerializer
from ddc.common.api.fields import ChoiceField, DateField, MoneyField, TextField
from ddc.common.api.serializers import CamelSerializer


def shown(parts: Components, currency: str) -> dict[str, Any]:
    """Return components as ``ComponentsSerializer`` writes them."""
    return {name: parts.of(name) for name in NAMES} | {"currency_code": currency}


class DebtAccountSerializer(CamelSerializer):
    """The account of a debt, in answers about one debt. ``accruedInterest`` is not posted yet."""

    balances = ComponentsSerializer(read_only=True)
    accrued_interest = MoneyField(read_only=True)
    payoff_amount = MoneyField(read_only=True)
    as_of = DateField(read_only=True)


class PayoffSerializer(DebtAccountSerializer):
    """The amount that closes a debt on a day."""

    currency_code = serializers.CharField(read_only=True)


def payoff_fields(found: Payoff) -> dict[str, Any]:
    """Return the fields of ``PayoffSerializer``."""
    return {
        "currency_code": found.currency_code,
        "balances": shown(found.balances, found.currency_code),
        "accrued_interest": found.accrued,
        "payoff_amount": found.amount,
        "as_of": found.day,
    }


class ChargeSerializer(CamelSerializer):
    """A charge of costs or fees: by a cost rule, or with another legal basis as the reason."""

    decisive: ClassVar[tuple[str, ...]] = ("kind", "rule_code", "factor", "amount", "value_date")
    null_means: ClassVar[dict[str, Any]] = {"kind": "cost", "factor": "", "reason": ""}

    kind = ChoiceField(["cost", "fee"], required=False, allow_null=True)
    rule_code = TextField(max_length=30, required=False, allow_null=True)
    factor = TextField(max_length=50, required=False, allow_null=True)
    amount = MoneyField(positive=True, required=False, allow_null=True)
    value_date = DateField(required=False, allow_null=True)
    reason = TextField(max_length=255, required=False, allow_null=True)


class WaiverSerializer(CamelSerializer):
    """A waiver of parts of a debt."""

    decisive: ClassVar[tuple[str, ...]] = NAMES

    principal = MoneyField(required=False, allow_null=True)
    interest = MoneyField(required=False, allow_null=True)
    costs = MoneyField(required=False, allow_null=True)
    fees = MoneyField(required=False, allow_null=True)
    reason = TextField(max_length=255)


class WriteOffSerializer(CamelSerializer):
    """A write-off of an amount, or of all that is owed."""

    decisive: ClassVar[tuple[str, ...]] = ("amount",)
    null_means: ClassVar[dict[str, Any]] = {"note": ""}

    amount = MoneyField(positive=True, required=False, allow_null=True)
    reason = ChoiceField([reason.value for reason in Reason])
    note = TextField(max_length=255, required=False, allow_null=True)
