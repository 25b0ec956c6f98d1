"""The shapes of receipts, credits and refunds."""

from rest_framework import serializers

from collection.models import Debt
from collection.serializers import AgentNameSerializer
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
from payments.models import CreditEntry, Receipt, ReceiptAllocation, Refund, Suspense
from payments.serializers import direction

#: Agents record every source but this one, which a charge-back writes.
_SOURCES = [source for source in Receipt.Source.values if source != Receipt.Source.CHARGEBACK]


class ReceiptInputSerializer(CamelSerializer):
    """A receipt to record."""

    decisive = ("provider", "provider_id", "reference", "value_date", "original_creditor")
    null_means = {"provider": "", "reference": "", "payer_name": "", "payer_account": ""}

    source = ChoiceField(_SOURCES)  # type: ignore[assignment]
    provider = TextField(max_length=100, required=False, allow_null=True)
    provider_id = TextField(max_length=255, required=False, allow_null=True)
    amount = MoneyField(positive=True)
    currency_code = CurrencyField()
    reference = TextField(max_length=500, required=False, allow_null=True)
    payer_name = TextField(max_length=255, required=False, allow_null=True)
    payer_account = TextField(max_length=64, required=False, allow_null=True)
    original_creditor = TextField(max_length=255, required=False, allow_null=True)
    value_date = DateField(required=False, allow_null=True)


class ReceiptSerializer(CamelSerializer):
    """A receipt, and how much of it is not booked yet."""

    id = serializers.UUIDField()
    source = ChoiceField(Receipt.Source.values)  # type: ignore[assignment]
    provider = serializers.CharField()
    provider_id = serializers.CharField(allow_null=True)
    amount = MoneyField(read_only=True)
    open_amount = MoneyField(source="rest", read_only=True)
    currency_code = serializers.CharField()
    reference = serializers.CharField()
    payer_name = serializers.CharField()
    payer_account = serializers.CharField()
    original_creditor = serializers.CharField(source="creditor.name", allow_null=True, read_only=True, default=None)
    value_date = DateField()
    status = ChoiceField(Receipt.STATUSES)
    suspense_reason = ChoiceField(Suspense.Reason.values, allow_null=True)
    suspense_text = serializers.CharField(allow_null=True)
    created_at = TimeField()


class AllocationSerializer(CamelSerializer):
    """A part of a receipt, and what it was booked to. A reversal has the id of the part that it undoes.

    ``refundedAmount`` went back of its payment since, and ``chargedBackAt`` is the time of the last charge-back.
    """

    id = serializers.UUIDField()
    kind = ChoiceField(ReceiptAllocation.Kind.values)
    amount = MoneyField(currency="currency_code", read_only=True)
    payment_id = serializers.UUIDField(allow_null=True)
    debt_id = serializers.UUIDField(allow_null=True)
    credit_id = serializers.UUIDField(allow_null=True)
    refund_id = serializers.UUIDField(allow_null=True)
    refunded_amount = MoneyField(
        source="payment.refunded_amount", currency="currency_code", read_only=True, allow_null=True
    )
    charged_back_at = TimeField(source="payment.charged_back_at", read_only=True, allow_null=True)
    counterpart_id = serializers.UUIDField(allow_null=True)
    reverses = ReferenceField(allow_null=True, read_only=True)
    by = AgentNameSerializer(allow_null=True)
    why = serializers.CharField()
    created_at = TimeField()


class ReceiptWithAllocationsSerializer(ReceiptSerializer):
    allocations = AllocationSerializer(many=True)


class LineSerializer(CamelSerializer):
    """A part to book to a debt, or to the credit of its person with its creditor."""

    decisive = ("kind", "allocation")
    null_means = {"kind": "payment"}

    debt_id = ReferenceField(Debt.objects.all(), source="debt")
    amount = MoneyField(positive=True)
    kind = ChoiceField(["payment", "credit"], required=False, allow_null=True)
    allocation = direction()


class ProposalSerializer(CamelSerializer):
    """A debt that a receipt may be for: how sure that is, up to 100, and why."""

    debt_id = serializers.UUIDField(source="debt.pk")
    debtor_id = serializers.UUIDField(source="debt.debtor_id")
    debtor_name = serializers.CharField(source="debt.debtor")
    original_creditor = serializers.CharField(source="debt.original_creditor")
    external_reference = serializers.CharField(source="debt.external_reference", allow_null=True)
    current_status = serializers.CharField(source="debt.current_status")
    current_balance = MoneyField(read_only=True)
    currency_code = serializers.CharField()
    score = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())


class ProposalsSerializer(CamelSerializer):
    data = ProposalSerializer(many=True)  # type: ignore[assignment]


class CreditSerializer(CamelSerializer):
    """A person's credit with a creditor in one currency."""

    id = serializers.UUIDField()
    debtor_id = serializers.UUIDField()
    original_creditor = serializers.CharField(source="creditor.name")
    amount = MoneyField(source="balance", read_only=True)
    currency_code = serializers.CharField()
    created_at = TimeField()


class CreditEntrySerializer(CamelSerializer):
    id = serializers.UUIDField()
    kind = ChoiceField(CreditEntry.Kind.values)
    amount = MoneyField(read_only=True)
    payment_id = serializers.UUIDField(allow_null=True)
    refund_id = serializers.UUIDField(allow_null=True)
    receipt_id = serializers.UUIDField(source="allocation.receipt_id", allow_null=True, default=None)
    reverses = ReferenceField(allow_null=True, read_only=True)
    by = AgentNameSerializer(allow_null=True)
    created_at = TimeField()


class CreditWithEntriesSerializer(CreditSerializer):
    entries = CreditEntrySerializer(many=True)


class ApplicationSerializer(CamelSerializer):
    """A debt of the credit's person and creditor to pay."""

    debt_id = ReferenceField(Debt.objects.all(), source="debt")
    amount = MoneyField(positive=True)


class RefundInputSerializer(CamelSerializer):
    """A refund to propose: the amount, and why the payer gets it back."""

    amount = MoneyField(positive=True)
    reason = TextField(max_length=500)


class CreditRefundInputSerializer(RefundInputSerializer):
    decisive = ("receipt_id",)

    receipt_id = ReferenceField(Receipt.objects.all(), source="receipt", required=False, allow_null=True)


class RefundNoteSerializer(CamelSerializer):
    note = TextField(max_length=500, required=False, allow_null=True)


class RefundSerializer(CamelSerializer):
    """Money that goes back to the payer: of a receipt, out of a credit or out of suspense, or of a payment."""

    id = serializers.UUIDField()
    receipt_id = serializers.UUIDField(allow_null=True)
    credit_id = serializers.UUIDField(allow_null=True)
    payment_id = serializers.UUIDField(allow_null=True)
    value_date = DateField(allow_null=True)
    amount = MoneyField(read_only=True)
    currency_code = serializers.CharField()
    payer_name = serializers.CharField(source="receipt.payer_name", allow_null=True, read_only=True, default=None)
    payer_account = serializers.CharField(source="receipt.payer_account", allow_null=True, read_only=True, default=None)
    reason = serializers.CharField()
    status = ChoiceField(["proposed", *Refund.Decision.values])
    proposed_by = AgentNameSerializer(allow_null=True)
    decided_by = AgentNameSerializer(allow_null=True)
    decided_at = TimeField(allow_null=True)
    note = serializers.CharField(source="decision_note")
    created_at = TimeField()
