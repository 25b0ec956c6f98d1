"""Arrangements as input and output of the API."""

from collections.abc import Collection
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from arrangements import assessment
from arrangements.computation import Offer, Schedule
from arrangements.models import Arrangement, ArrangementPolicy, Interest, Kind
from arrangements.schedules import MOST_INSTALMENTS, BusinessDays, Frequency
from creditors.models import Creditor
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
from ddc.common.api.serializers import CamelSerializer, write_all
from ddc.common.api.views import Annotated
from debtors.models import Debtor

_MOST_DAYS = 3_650


class InstalmentSerializer(CamelSerializer):
    """An instalment of a schedule; ``paid`` and ``isMissed`` follow from the ledger."""

    no = serializers.IntegerField()
    agreed_on = DateField()
    due_on = DateField()
    amount = MoneyField(read_only=True)


class PaidInstalmentSerializer(InstalmentSerializer):
    paid = MoneyField(read_only=True)
    is_missed = serializers.BooleanField(read_only=True)


class NeedSerializer(CamelSerializer):
    """What an arrangement needs: the approval of another person, or the consent of the creditor."""

    kind = ChoiceField(["approval", "consent"])
    text = serializers.CharField()


class ShareSerializer(CamelSerializer):
    debt_id = ReferenceField(source="debt", read_only=True)
    share = MoneyField(read_only=True)


class ArrangementSerializer(CamelSerializer):
    id = serializers.UUIDField(read_only=True)
    kind = ChoiceField(Kind.values, read_only=True)
    status = ChoiceField(Arrangement.Status.values, read_only=True)
    debtor_id = ReferenceField(source="debtor", read_only=True)
    creditor_id = ReferenceField(source="creditor", read_only=True)
    currency_code = serializers.CharField(read_only=True)
    total = MoneyField(read_only=True)
    discount = MoneyField(read_only=True)
    frequency = ChoiceField([each.value for each in Frequency], read_only=True)
    needs = NeedSerializer(many=True, read_only=True)
    creditor_consent = serializers.CharField(read_only=True)
    note = serializers.CharField(read_only=True)
    starts_on = DateField(read_only=True)
    expires_on = DateField(read_only=True, allow_null=True)
    accepted_at = TimeField(read_only=True, allow_null=True)
    broken_on = DateField(read_only=True, allow_null=True)
    needs_person = serializers.BooleanField(read_only=True)
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)


class EventDetailsSerializer(CamelSerializer):
    """What an event tells beside its kind: amounts and days as text, null where the kind has none."""

    instalment = IntegerField(default=None, allow_null=True)
    before = serializers.CharField(default=None, allow_null=True)
    amount = serializers.CharField(default=None, allow_null=True)
    last = serializers.CharField(default=None, allow_null=True)
    due_on = serializers.CharField(default=None, allow_null=True)
    on = serializers.CharField(default=None, allow_null=True)
    creditor_consent = serializers.CharField(default=None, allow_null=True)
    reason = serializers.CharField(default=None, allow_null=True)


class EventSerializer(CamelSerializer):
    kind = serializers.CharField()
    at = TimeField()
    by_id = serializers.UUIDField(allow_null=True)
    details = EventDetailsSerializer()


class ArrangementPageSerializer(ArrangementSerializer):
    """An arrangement with its debts, its instalments as they stand today, and its history."""

    debts = ShareSerializer(many=True, read_only=True)
    instalments = PaidInstalmentSerializer(many=True, read_only=True)
    events = EventSerializer(many=True, read_only=True)


class ScheduleSerializer(CamelSerializer):
    """When a total is paid: in ``count`` instalments, or in instalments of an ``amount``."""

    decisive = ("amount", "first_amount", "frequency", "business_days", "count")

    start_date = DateField(source="first")
    count = IntegerField(source="number", required=False, allow_null=True, min_value=1, max_value=MOST_INSTALMENTS)
    amount = MoneyField(required=False, allow_null=True, positive=True)
    first_amount = MoneyField(required=False, allow_null=True, positive=True)
    frequency = ChoiceField([each.value for each in Frequency], required=False)
    business_days = ChoiceField([each.value for each in BusinessDays], required=False)

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        if values.get("number") is not None and values.get("amount") is not None:
            raise serializers.ValidationError({"amount": ["Enter either the number of instalments or their amount."]})
        if "frequency" in values:
            values["frequency"] = Frequency(values["frequency"])
        if "business_days" in values:
            values["business_days"] = BusinessDays(values["business_days"])
        return Schedule(**values)


class DiscountSerializer(CamelSerializer):
    """The discount of a settlement: a percentage of the balance, or an amount."""

    type = ChoiceField(["percent", "amount"])
    value = MoneyField(positive=True)


class ProposalSerializer(CamelSerializer):
    """A new arrangement. Without a total, all that is owed on the debts is paid."""

    decisive = ("total", "discount", "creditor_consent")

    kind = ChoiceField(Kind.values)
    debtor_id = ReferenceField(Debtor.objects.all(), source="debtor")
    debt_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    total = MoneyField(required=False, allow_null=True, positive=True)
    discount = DiscountSerializer(required=False, allow_null=True)
    schedule = ScheduleSerializer()
    note = TextField(max_length=1000, required=False)
    creditor_consent = TextField(max_length=255, required=False)


class OverviewSerializer(CamelSerializer):
    """The active or last broken arrangement of a debt: its next instalment, and how many are missed."""

    id = serializers.UUIDField(source="arrangement.id")
    kind = ChoiceField(Kind.values, source="arrangement.kind")
    status = ChoiceField(Arrangement.Status.values, source="arrangement.status")
    currency_code = serializers.CharField()
    next_due_on = DateField(allow_null=True)
    next_amount = MoneyField(read_only=True, allow_null=True)
    missed = serializers.IntegerField()


class OptionsRequestSerializer(CamelSerializer):
    """For which debts and kinds arrangements are computed."""

    decisive = ("kinds",)

    debt_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    kinds = serializers.ListField(child=ChoiceField(Kind.values), required=False)


class ChoiceSerializer(CamelSerializer):
    """A computed arrangement, which is not stored."""

    kind = ChoiceField(Kind.values)
    total = MoneyField(read_only=True, currency="currency")
    discount = MoneyField(read_only=True, currency="currency")
    currency_code = serializers.CharField(source="currency")
    instalments = serializers.SerializerMethodField()
    valid_until = DateField()

    @extend_schema_field(InstalmentSerializer(many=True))
    def get_instalments(self, offer: Offer) -> list[dict[str, Any]]:
        return write_all(InstalmentSerializer, [instalment(due, offer.currency) for due in offer.instalments])


class OptionSerializer(ChoiceSerializer):
    """A choice, and what it needs."""

    needs = NeedSerializer(many=True)


class OptionsSerializer(CamelSerializer):
    options = OptionSerializer(many=True)


class ApprovalOfArrangementSerializer(CamelSerializer):
    decisive = ("creditor_consent",)

    creditor_consent = TextField(max_length=255, required=False)


class ReasonSerializer(CamelSerializer):
    reason = TextField(max_length=500)


class ChangeSerializer(CamelSerializer):
    """A change of one instalment: another day (``delay``) or another amount; ``dryRun`` only shows the schedule."""

    decisive = ("due_on", "amount", "dry_run")

    instalment_no = IntegerField(min_value=1, max_value=MOST_INSTALMENTS)
    change = ChoiceField(["delay", "amount"])
    due_on = DateField(required=False, allow_null=True)
    amount = MoneyField(required=False, allow_null=True, positive=True)
    reason = TextField(max_length=500, required=False)
    dry_run = BooleanField(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        needed = "due_on" if values["change"] == "delay" else "amount"
        if values.get(needed) is None:
            name = "dueOn" if needed == "due_on" else "amount"
            raise serializers.ValidationError({name: [serializers.ErrorDetail("This is required.", "required")]})
        return values


class ChangedScheduleSerializer(CamelSerializer):
    instalments = InstalmentSerializer(many=True)


class PolicySerializer(CamelSerializer):
    """What a creditor, or without one the agency, allows; a PUT publishes a new version."""

    decisive = (
        *(
            "creditor_id",
            "min_instalment",
            "max_months",
            "max_days_to_first",
            "min_settlement_percent",
            "offer_valid_days",
        ),
        *(
            "grace_days",
            "tolerance_amount",
            "tolerance_percent",
            "missed_to_break",
            "self_reinstate_days",
            "delay_days",
        ),
        *("clearing_days", "interest", "budget_percent"),
    )

    id = serializers.UUIDField(read_only=True)
    creditor_id = ReferenceField(Creditor.objects.all(), source="creditor", required=False, allow_null=True)
    currency_code = CurrencyField()
    version = serializers.IntegerField(read_only=True)
    min_instalment = MoneyField(required=False, allow_null=True)
    max_months = IntegerField(required=False, allow_null=True, min_value=1, max_value=MOST_INSTALMENTS)
    max_days_to_first = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    min_settlement_percent = DecimalField(places=2, least=0, most=100, required=False, allow_null=True)
    offer_valid_days = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    grace_days = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    tolerance_amount = MoneyField(required=False, allow_null=True)
    tolerance_percent = DecimalField(places=2, least=0, most=100, required=False, allow_null=True)
    missed_to_break = IntegerField(required=False, allow_null=True, min_value=1, max_value=MOST_INSTALMENTS)
    self_reinstate_days = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    delay_days = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    clearing_days = IntegerField(required=False, allow_null=True, min_value=0, max_value=_MOST_DAYS)
    interest = ChoiceField(Interest.values, required=False, allow_null=True)
    budget_percent = DecimalField(places=2, least=0, most=100, required=False, allow_null=True)
    created_at = TimeField(read_only=True)
    replaced_at = TimeField(read_only=True, allow_null=True)


POLICY_FIELDS = [field.name for field in ArrangementPolicy.input_fields()]


def shown(arrangements: Collection[Arrangement], *, day: date) -> list[Annotated]:
    """Return arrangements with their debts and with their instalments as they stand on a day, in the same order."""
    steps = assessment.steps([arrangement.pk for arrangement in arrangements], day=day)
    return [
        Annotated(
            each,
            debts=[Annotated(part, currency_code=each.currency_code) for part in each.parts.all()],
            instalments=[instalment(step, each.currency_code) for step in steps[each.pk]],
        )
        for each in arrangements
    ]


def instalment(row: Any, currency: str) -> dict[str, Any]:
    """Return an instalment with its currency, for ``InstalmentSerializer`` and ``PaidInstalmentSerializer``."""
    names = ("no", "agreed_on", "due_on", "amount", "paid", "is_missed")
    return {name: getattr(row, name) for name in names if hasattr(row, name)} | {"currency_code": currency}
