"""The debtor's own details over HTTP: address, language, channels and times; phone and e-mail address after a code."""

import re
import uuid
from datetime import time
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ddc.common.api.fields import (
    BooleanField,
    ChoiceField,
    CountryField,
    EmailField,
    IntegerField,
    LanguageField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer, write
from debtors.channels import AddressKind, Channel
from portal import address_changes, details, tokens
from portal.api import DebtorView
from portal.models import AddressChange


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
class ClockField(TextField):
    """A time of the day, such as 17:30."""

    def to_internal_value(self, data: str) -> time:  # type: ignore[override]
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", data, re.ASCII):
            raise serializers.ValidationError("This must be a time such as 17:30.", "regex")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:  # type: ignore[override]
        return f"{value:%H:%M}"


def _line() -> TextField:
    return TextField(max_length=255, required=False, allow_null=True)


class DetailsSerializer(CamelSerializer):
    """How the debtor is reached. ``messagesStopped`` stops all messages and calls but codes; ``weekdays``: 1 is Monday."""

    decisive = ("refused_channels", "not_before", "not_after", "weekdays", "messages_stopped")

    email = serializers.CharField(read_only=True, allow_null=True)
    mobile_phone = serializers.CharField(read_only=True, allow_null=True)
    address_line1 = _line()
    address_line2 = _line()
    city = _line()
    region_state = _line()
    postal_code = _line()
    country_code = CountryField(required=False, allow_null=True)
    language_preference = LanguageField(required=False, allow_null=True)
    refused_channels = serializers.ListField(child=ChoiceField(Channel.values), required=False, max_length=4)
    messages_stopped = BooleanField(required=False)
    not_before = ClockField(required=False, allow_null=True)
    not_after = ClockField(required=False, allow_null=True)
    weekdays = serializers.ListField(child=IntegerField(min_value=1, max_value=7), required=False, max_length=7)


class NewAddressSerializer(CamelSerializer):
    """The new phone or the new e-mail address."""

    needs_one = ("mobile_phone", "email")

    mobile_phone = TextField(max_length=40, required=False, allow_null=True)
    email = EmailField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("mobile_phone")) == bool(attrs.get("email")):
            detail = serializers.ErrorDetail("Give either mobilePhone or email.", "required")
            raise serializers.ValidationError({"mobilePhone": [detail]})
        return attrs


class AddressChangeSerializer(CamelSerializer):
    """A change that waits for the code, which went to the new address."""

    id = serializers.UUIDField(read_only=True)
    expires_at = TimeField(read_only=True)


class ChangeCodeSerializer(CamelSerializer):
    otp_code = TextField(max_length=20)


class ChangedAddressSerializer(CamelSerializer):
    """All earlier tokens of the debtor have ended; this one takes their place."""

    token = serializers.CharField(read_only=True)
    expires_at = TimeField(read_only=True)
    email = serializers.CharField(read_only=True, allow_null=True)
    mobile_phone = serializers.CharField(read_only=True, allow_null=True)


class MyDetailsView(DebtorView):
    serializer_class = DetailsSerializer

    @extend_schema(operation_id="myDetails", responses=DetailsSerializer)
    def retrieve(self, request: Request) -> Response:
        return Response(write(DetailsSerializer, self._shown()))

    @extend_schema(request=DetailsSerializer, responses=DetailsSerializer)
    def update(self, request: Request) -> Response:
        details.change(self.debtor, self.read(DetailsSerializer, partial=True), now=timezone.now())
        self.debtor.refresh_from_db()
        return Response(write(DetailsSerializer, self._shown()))

    def _shown(self) -> dict[str, Any]:
        return details.shown(self.debtor)


class MyAddressChangesView(DebtorView):
    serializer_class = AddressChangeSerializer
    refusals = {"create": (429,)}

    @extend_schema(
        operation_id="changeMyAddress", request=NewAddressSerializer, responses={201: AddressChangeSerializer}
    )
    def create(self, request: Request) -> Response:
        given = self.read(NewAddressSerializer)
        kind = AddressKind.PHONE if given.get("mobile_phone") else AddressKind.EMAIL
        wanted = address_changes.parse(given.get("mobile_phone") or given["email"], kind, self.debtor)
        change = address_changes.request(self.debtor, wanted, now=timezone.now())
        return Response(write(AddressChangeSerializer, change), 201)

    @extend_schema(operation_id="confirmMyAddress", request=ChangeCodeSerializer, responses=ChangedAddressSerializer)
    def confirm(self, request: Request, pk: uuid.UUID) -> Response:
        code = self.read(ChangeCodeSerializer)["otp_code"]
        change = get_object_or_404(AddressChange.objects.select_related("debtor"), pk=pk, debtor=self.debtor)
        now = timezone.now()
        debtor = address_changes.confirm(change, code, now=now)
        token, expires_at = tokens.issue(debtor, now=now)
        answer = {"token": token, "expires_at": expires_at, "email": debtor.email, "mobile_phone": debtor.mobile_phone}
        return Response(write(ChangedAddressSerializer, answer))
