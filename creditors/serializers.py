"""The shape of a creditor."""

from rest_framework import serializers

from creditors.kinds import AllocationPolicy, DebtKind
from ddc.common.api.fields import ChoiceField, TextField, TimeField
from ddc.common.api.serializers import CamelSerializer


class CreditorSerializer(CamelSerializer):
    """A creditor: the kind of its debts, and the agreed allocation of payments; ``""`` where the law of the country counts."""

    decisive = ("code", "debt_kind", "allocation_policy")
    null_means = {"debt_kind": "", "allocation_policy": ""}

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=255)
    code = TextField(max_length=50, required=False, allow_null=True)
    debt_kind = ChoiceField(["", *DebtKind], required=False, allow_null=True)
    allocation_policy = ChoiceField(["", *AllocationPolicy], required=False, allow_null=True)
    created_at = TimeField(read_only=True)
