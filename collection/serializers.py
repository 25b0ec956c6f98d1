"""Serializers of debts, segments, ledger entries, totals, deferral requests and disputes."""

from typing import ClassVar

from rest_framework import serializers

from collection.models import Debt, DebtStatus, DeferralRequest, Dispute, LedgerEntry, Segment
from ddc.common.api.fields import (
    BooleanField,
    ChoiceField,
    CurrencyField,
    DateField,
    DecimalField,
    IntegerField,
    MoneyField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer
from debtors.models import Debtor
from debtors.serializers import DebtorSerializer

_MOST_DAYS = 36_500
_MOST_PRIORITY = 1_000_000


class SegmentSerializer(CamelSerializer):
    decisive = (
        *("min_p2p_score", "max_p2p_score", "min_balance", "max_balance", "currency_code"),
        *("min_days_since_placement", "max_days_since_placement", "is_active"),
    )
    null_means = {"priority": 100, "is_active": True}

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=100)
    priority = IntegerField(required=False, allow_null=True, min_value=1, max_value=_MOST_PRIORITY)
    min_p2p_score = DecimalField(places=3, least=0, most=1, required=False, allow_null=True)
    max_p2p_score = DecimalField(places=3, least=0, most=1, required=False, allow_null=True)
    min_balance = MoneyField(required=False, allow_null=True)
    max_balance = MoneyField(required=False, allow_null=True)
    currency_code = CurrencyField(required=False, allow_null=True)
    min_days_since_placement = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    max_days_since_placement = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    is_active = BooleanField(required=False, allow_null=True)
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)


class SegmentWithCountSerializer(SegmentSerializer):
    """A segment with the number of its debts."""

    debts_count = serializers.IntegerField(read_only=True)


class DebtSerializer(CamelSerializer):
    """A debt, as input and output."""

    decisive: ClassVar[tuple[str, ...]] = (
        *("segment_id", "external_reference", "currency_code", "current_balance", "current_status"),
        *("placement_date", "due_date", "updated_at"),
    )
    null_means = {"currency_code": "USD", "current_status": DebtStatus.ACTIVE}
    never_null = ("current_balance", "placement_date", "updated_at")

    id = serializers.UUIDField(read_only=True)
    debtor_id = ReferenceField(Debtor.objects.all(), source="debtor")
    segment_id = ReferenceField(Segment.objects.all(), source="segment", required=False, allow_null=True)
    original_creditor = TextField(max_length=255)
    external_reference = TextField(max_length=255, required=False, allow_null=True)
    currency_code = CurrencyField(required=False, allow_null=True)
    original_balance = MoneyField(positive=True)
    current_balance = MoneyField(required=False, allow_null=True)
    current_status = ChoiceField(DebtStatus.values, required=False, allow_null=True)
    placement_date = DateField(required=False, allow_null=True)
    due_date = DateField(required=False, allow_null=True)
    p2p_score = DecimalField(places=3, least=0, most=1, required=False, allow_null=True)
    created_at = TimeField(read_only=True)
    updated_at = TimeField(required=False, allow_null=True)


class DebtInputSerializer(DebtSerializer):
    """A debt as input, with the reason and the end of an open status that is set by hand."""

    decisive: ClassVar[tuple[str, ...]] = (*DebtSerializer.decisive, "status_until")

    status_reason = TextField(max_length=500, required=False, allow_null=True)
    status_until = DateField(required=False, allow_null=True)


class DebtWithSegmentSerializer(DebtSerializer):
    segment = SegmentSerializer(read_only=True, allow_null=True)


class LedgerCauseSerializer(CamelSerializer):
    """The cause of an entry, copied when it was posted."""

    may_lack_fields = True

    type = serializers.CharField()
    status = serializers.CharField(required=False)
    payment_id = serializers.UUIDField(required=False)
    dispute_id = serializers.UUIDField(required=False)
    arrangement_id = serializers.UUIDField(required=False)
    amount = serializers.CharField(required=False)
    currency_code = serializers.CharField(required=False)
    payment_method = serializers.CharField(required=False)
    processor_txn_id = serializers.CharField(required=False, allow_null=True)
    payment_date = serializers.CharField(required=False)
    previous_currency = serializers.CharField(required=False)
    rate = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)
    note = serializers.CharField(required=False)
    rule_code = serializers.CharField(required=False)
    legal_basis = serializers.CharField(required=False)
    settled_for = serializers.CharField(required=False)


class ComponentsSerializer(CamelSerializer):
    """An amount by component."""

    principal = MoneyField(read_only=True)
    interest = MoneyField(read_only=True)
    costs = MoneyField(read_only=True)
    fees = MoneyField(read_only=True)


class AgentNameSerializer(CamelSerializer):
    """An agent's id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class HandStatusSerializer(CamelSerializer):
    """The open status that an agent set: who, when, why, and the first day without it."""

    status = ChoiceField(DebtStatus.values, source="hand_status", read_only=True)
    by = AgentNameSerializer(source="hand_status_by", read_only=True, allow_null=True)
    at = TimeField(source="hand_status_at", read_only=True)
    reason = serializers.CharField(source="hand_status_reason", read_only=True, allow_null=True)
    until = DateField(source="hand_status_until", read_only=True, allow_null=True)


class LedgerEntrySerializer(CamelSerializer):
    id = serializers.UUIDField()
    kind = ChoiceField(LedgerEntry.Kind.values)
    amount = MoneyField(read_only=True)
    components = ComponentsSerializer(source="*", read_only=True)
    currency_code = serializers.CharField()
    value_date = DateField()
    effective_date = DateField(source="value_date")
    posted_at = TimeField()
    by = AgentNameSerializer(allow_null=True)
    cause = serializers.SerializerMethodField()
    reverses = ReferenceField(allow_null=True, read_only=True)
    refers_to = ReferenceField(allow_null=True, read_only=True)

    def get_cause(self, entry: LedgerEntry) -> LedgerCauseSerializer:
        return entry.cause  # type: ignore[no-any-return]


class CurrencySumSerializer(CamelSerializer):
    currency_code = serializers.CharField()
    amount = MoneyField(read_only=True)
    debts = serializers.IntegerField()


class CurrencyTotalsSerializer(CamelSerializer):
    currency_code = serializers.CharField()
    original_balance = MoneyField(read_only=True)
    current_balance = MoneyField(read_only=True)
    debts = serializers.IntegerField()


class TotalsSerializer(CamelSerializer):
    total_original_balance = MoneyField(read_only=True, allow_null=True)
    total_current_balance = MoneyField(read_only=True, allow_null=True)
    currency_code = serializers.CharField()
    rates_date = DateField(allow_null=True)
    by_currency = CurrencyTotalsSerializer(many=True)
    unconverted_currencies = serializers.ListField(child=serializers.CharField(), read_only=True)


class DashboardSerializer(CamelSerializer):
    total_debtors = serializers.IntegerField()
    total_active_debts = serializers.IntegerField()
    total_debt_amount = MoneyField(read_only=True, allow_null=True)
    total_debt_amount_overdue = MoneyField(read_only=True, allow_null=True)
    total_debt_amount_by_currency = CurrencySumSerializer(many=True)
    total_debt_amount_overdue_by_currency = CurrencySumSerializer(many=True)
    currency_code = serializers.CharField()
    rates_date = DateField(allow_null=True)
    as_of = TimeField()
    unconverted_currencies = serializers.ListField(child=serializers.CharField(), read_only=True)


class DeferralRequestSerializer(CamelSerializer):
    """A deferral request for its debtor."""

    request_id = serializers.UUIDField(source="id", read_only=True)
    debt_id = ReferenceField(Debt.objects.all(), source="debt")
    requested_deferral_days = IntegerField(min_value=1, max_value=365)
    reason = TextField(min_length=10, max_length=1000)
    status = ChoiceField(DeferralRequest.Status.values, read_only=True)
    reviewed_at = TimeField(read_only=True, allow_null=True)
    review_notes = serializers.CharField(read_only=True, allow_null=True)
    created_at = TimeField(read_only=True)


class ReviewedDeferralRequestSerializer(DeferralRequestSerializer):
    """A deferral request for staff."""

    debtor_id = ReferenceField(source="debtor", read_only=True)
    updated_at = TimeField(read_only=True)
    debtor = DebtorSerializer(read_only=True)
    debt = DebtSerializer(read_only=True)
    closed_by = ChoiceField(DeferralRequest.ClosedBy.values, read_only=True, allow_null=True)
    reviewer = AgentNameSerializer(read_only=True, allow_null=True)
    granted_days = IntegerField(read_only=True, allow_null=True)
    first_approver = AgentNameSerializer(read_only=True, allow_null=True)


class DisputeSerializer(CamelSerializer):
    """A dispute for its debtor. Without a portion, the whole debt is disputed."""

    decisive = ("portion",)

    dispute_id = serializers.UUIDField(source="id", read_only=True)
    debt_id = ReferenceField(Debt.objects.all(), source="debt")
    portion = MoneyField(positive=True, required=False, allow_null=True)
    currency_code = serializers.CharField(read_only=True)
    reason = TextField(min_length=10, max_length=1000)
    evidence = TextField(max_length=1000, required=False, allow_null=True)
    channel = ChoiceField(Dispute.Channel.values, read_only=True)
    status = ChoiceField(Dispute.Status.values, read_only=True)
    received_at = TimeField(read_only=True)
    decided_at = TimeField(read_only=True, allow_null=True)
    answer = serializers.CharField(read_only=True, allow_null=True)
    created_at = TimeField(read_only=True)


class ApprovalSerializer(CamelSerializer):
    """An approval. ``status`` is optional and must match the path; ``granted_days`` may be fewer than were asked for."""

    decisive = ("status", "granted_days")

    granted_days = IntegerField(min_value=1, max_value=365, required=False, allow_null=True)

    status = ChoiceField([DeferralRequest.Status.APPROVED.value], required=False, allow_null=True)
    review_notes = TextField(max_length=1000, required=False, allow_null=True)


class EarlyEndSerializer(CamelSerializer):
    """The reason why a deferral ends early."""

    why = TextField(max_length=500)


class RejectionSerializer(CamelSerializer):
    """A rejection with its reason. ``status`` is optional and must match the path."""

    decisive = ("status",)

    status = ChoiceField([DeferralRequest.Status.REJECTED.value], required=False, allow_null=True)
    review_notes = TextField(max_length=1000)
