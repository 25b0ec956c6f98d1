"""The shape of a payment."""

from typing import ClassVar

from rest_framework import serializers

from collection.claims.components import NAMES
from collection.models import Debt
from collection.serializers import DebtSerializer
from ddc.common.api.fields import (
    ChoiceField,
    CurrencyField,
    DateField,
    MoneyField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer
from payments.models import PaymentMethod, PaymentStatus
from payments.posting import Overpayment


def direction() -> serializers.ListField:
    """Return the field of the components that the debtor wants to pay first."""
    return serializers.ListField(
        child=ChoiceField(NAMES),
        max_length=len(NAMES),
        required=False,
        help_text="The components that the debtor wants to pay first, where the law lets the debtor choose.",
    )


class PaymentSerializer(CamelSerializer):
    """A payment as it is recorded."""

    decisive: ClassVar[tuple[str, ...]] = (
        "currency_code", "status", "payment_date", "processor_txn_id", "allocation", "updated_at",
    )  # fmt: skip
    null_means = {"payment_method": PaymentMethod.OTHER, "status": PaymentStatus.COMPLETED}
    never_null = ("currency_code", "payment_date", "updated_at")

    id = serializers.UUIDField(read_only=True)
    debt_id = ReferenceField(Debt.objects.all(), source="debt", id_only=True)
    amount = MoneyField(positive=True)
    currency_code = CurrencyField(required=False, allow_null=True)
    payment_method = ChoiceField(PaymentMethod.values, required=False, allow_null=True)
    status = ChoiceField(PaymentStatus.values, required=False, allow_null=True)
    processor_txn_id = TextField(max_length=255, required=False, allow_null=True)
    payment_date = DateField(required=False, allow_null=True)
    allocation = direction()
    refunded_amount = MoneyField(read_only=True)
    charged_back_at = TimeField(read_only=True, allow_null=True)
    created_at = TimeField(read_only=True)
    updated_at = TimeField(required=False, allow_null=True)


class PaymentInputSerializer(PaymentSerializer):
    """A payment to record, and how to treat more than is open."""

    decisive = (*PaymentSerializer.decisive, "overpayment")
    null_means = {**PaymentSerializer.null_means, "overpayment": Overpayment.REFUSE}

    overpayment = ChoiceField(
        Overpayment.values,
        required=False,
        allow_null=True,
        help_text="When a payment is created: with `credit`, more than is open is kept as the person's credit.",
    )


class ChargebackSerializer(CamelSerializer):
    """A charge-back of a payment, or of a part of it."""

    decisive: ClassVar[tuple[str, ...]] = ("amount",)
    null_means = {"reason": ""}

    amount = MoneyField(positive=True, required=False, allow_null=True)
    reason = TextField(max_length=255, required=False, allow_null=True)


class PaymentRefundSerializer(ChargebackSerializer):
    """A refund to propose: of a payment, or of a part of it, to the payer."""

    decisive = ("amount", "value_date")

    value_date = DateField(required=False, allow_null=True)


class PaymentWithDebtSerializer(PaymentSerializer):
    debt = DebtSerializer(read_only=True)
