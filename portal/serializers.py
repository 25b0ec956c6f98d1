"""Serializers of the debtors' sign-in, portal and activities."""

import json
from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collection.models import Debt
from collection.serializers import (
    DebtWithSegmentSerializer,
    DeferralRequestSerializer,
    DisputeSerializer,
    TotalsSerializer,
)
from ddc.common.api.fields import ChoiceField, EmailField, ReferenceField, TextField, TimeField
from ddc.common.api.serializers import CamelSerializer
from portal.questions import Question

METADATA_BYTES = 4096
#: Our JSON writer cannot write larger numbers.
_LARGEST_NUMBER = 2**63


@extend_schema_field(OpenApiTypes.OBJECT)
class MetadataField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON object of at most 4 KiB (in UTF-8, without spaces between its parts)."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("This must be an object.", "object")
        storable: dict[str, Any] = _storable(data)
        written = json.dumps(storable, ensure_ascii=False, separators=(",", ":"))
        if len(written.encode()) > METADATA_BYTES:
            raise serializers.ValidationError(f"This is larger than {METADATA_BYTES} bytes.", "maxLength")
        return storable

    def to_representation(self, value: Any) -> Any:
        return value


def _storable(value: Any) -> Any:
    """Return the value with decimals as plain JSON numbers."""
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        if not -_LARGEST_NUMBER < value < _LARGEST_NUMBER:
            raise serializers.ValidationError("This has a number that is too large to store.", "range")
        return value if isinstance(value, int) else float(value)
    return value


class OwnDebtField(ReferenceField):
    """A debt of the signed-in debtor. The debt of another debtor is refused as if it did not exist."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Debt.objects.all(), **kwargs)

    def to_internal_value(self, data: Any) -> Debt:
        debt = super().to_internal_value(data)
        if not isinstance(debt, Debt) or debt.debtor_id != self.context["debtor"].pk:
            raise serializers.ValidationError("This resource does not exist.", "database.exists")
        return debt


class SignInAddressSerializer(CamelSerializer):
    """The debtor's phone, or the e-mail address instead of it; a phone counts if both are given."""

    needs_any = ("mobile_phone", "email")

    mobile_phone = TextField(max_length=40, required=False, allow_null=True)
    email = EmailField(required=False, allow_null=True, help_text="Instead of mobilePhone.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not (attrs.get("mobile_phone") or attrs.get("email")):
            missing = serializers.ErrorDetail("Give mobilePhone or email.", "required")
            raise serializers.ValidationError({"mobilePhone": [missing]})
        return attrs


class OtpRequestSerializer(SignInAddressSerializer):
    pass


class OtpRequestedSerializer(CamelSerializer):
    message = serializers.CharField(read_only=True)
    expires_in_seconds = serializers.IntegerField(read_only=True)
    attempt_token = serializers.CharField(
        read_only=True, help_text="Send it with the code: then the tries of others who know the phone do not count."
    )


class OtpVerificationSerializer(SignInAddressSerializer):
    decisive = ("attempt_token",)

    otp_code = TextField(validators=[RegexValidator(r"\A[0-9]{4,8}\Z", "The code has 4 to 8 digits.", "regex")])
    attempt_token = TextField(
        max_length=200, required=False, allow_null=True, help_text="Of the answer of requestOtp, if it is known."
    )


class DebtorInBriefSerializer(CamelSerializer):
    id = serializers.UUIDField(read_only=True)
    first_name = serializers.CharField(read_only=True, allow_null=True)
    last_name = serializers.CharField(read_only=True, allow_null=True)
    email = serializers.CharField(read_only=True)
    mobile_phone = serializers.CharField(read_only=True, allow_null=True)


class SignedInSerializer(CamelSerializer):
    """A token that is valid for 7 days."""

    token = serializers.CharField(read_only=True)
    expires_at = TimeField(read_only=True)
    debtor = DebtorInBriefSerializer(read_only=True)


class QuestionSerializer(CamelSerializer):
    """The second question, before there is a token."""

    token = serializers.CharField(read_only=True, allow_null=True, help_text="Always null.")
    question = ChoiceField([question.value for question in Question], read_only=True)
    question_token = serializers.CharField(read_only=True)


class AnswerSerializer(CamelSerializer):
    question_token = TextField(max_length=200)
    answer = TextField(max_length=40, help_text="A date such as 1984-03-27 for dob, or a postcode for postalCode.")


class MyDebtsSerializer(CamelSerializer):
    debts = DebtWithSegmentSerializer(many=True, read_only=True)
    totals = TotalsSerializer(read_only=True)


class MyDeferralRequestSerializer(DeferralRequestSerializer):
    """A request for more time for one of the debtor's own debts."""

    debt_id = OwnDebtField(source="debt")


class MyDeferralRequestsSerializer(CamelSerializer):
    deferral_requests = DeferralRequestSerializer(many=True, read_only=True)


class MyDisputeSerializer(DisputeSerializer):
    """A dispute of one of the debtor's own debts."""

    debt_id = OwnDebtField(source="debt")


class MyDisputesSerializer(CamelSerializer):
    disputes = DisputeSerializer(many=True, read_only=True)


class ActivitySerializer(CamelSerializer):
    """A debtor's activity, as a client reports it."""

    activity_type = TextField(
        validators=[RegexValidator(r"\A[a-z_]{1,50}\Z", "This must match [a-z_]{1,50}.", "regex")]
    )
    path = TextField(max_length=255, required=False, allow_null=True)
    debt_id = OwnDebtField(source="debt", required=False, allow_null=True)
    metadata = MetadataField(required=False, allow_null=True)


class DigitalActivitySerializer(CamelSerializer):
    id = serializers.UUIDField(read_only=True)
    debtor_id = ReferenceField(source="debtor", read_only=True)
    debt_id = ReferenceField(source="debt", read_only=True, allow_null=True)
    activity_type = serializers.CharField(read_only=True)
    path = serializers.CharField(read_only=True, allow_null=True)
    metadata = MetadataField(read_only=True)
    timestamp = TimeField(source="created_at", read_only=True)
