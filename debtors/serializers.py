"""Serializers for debtors."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ddc.common.api.fields import CountryField, DateField, EmailField, LanguageField, TextField, TimeField
from ddc.common.api.serializers import CamelSerializer
from ddc.common.reference import languages
from debtors import phones, zones
from debtors.models import Debtor


def _optional(**kwargs: Any) -> dict[str, Any]:
    return {"required": False, "allow_null": True, **kwargs}


class _OfDebtor(serializers.Field[Any, Any, Any, Any]):
    """A value that is computed from the whole debtor."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Debtor) -> Any:
        raise NotImplementedError


@extend_schema_field({"type": ["string", "null"]})
class LanguageNameField(_OfDebtor):
    def to_representation(self, value: Debtor) -> str | None:
        return languages.name(value.language_preference) if value.language_preference else None


@extend_schema_field({"type": ["boolean", "null"]})
class PhoneKnownField(_OfDebtor):
    def to_representation(self, value: Debtor) -> bool | None:
        return phones.is_known(value.mobile_phone) if value.mobile_phone else None


@extend_schema_field({"type": ["string", "null"]})
class TimeZoneField(_OfDebtor):
    def to_representation(self, value: Debtor) -> str | None:
        return zones.time_zone(
            country_code=value.country_code, region_state=value.region_state, mobile_phone=value.mobile_phone
        )


class DebtorSerializer(CamelSerializer):
    """A debtor with its computed values."""

    id = serializers.UUIDField(read_only=True)
    first_name = TextField(max_length=100, **_optional())
    last_name = TextField(max_length=100, **_optional())
    email = EmailField()
    mobile_phone = TextField(max_length=40, **_optional())
    mobile_phone_valid = PhoneKnownField()
    legal_entity = TextField(max_length=255, **_optional())
    dob = DateField(**_optional())
    address_line1 = TextField(max_length=255, **_optional())
    address_line2 = TextField(max_length=255, **_optional())
    city = TextField(max_length=255, **_optional())
    region_state = TextField(max_length=255, **_optional())
    postal_code = TextField(max_length=255, **_optional())
    country_code = CountryField(**_optional())
    language_preference = LanguageField(**_optional())
    language_name = LanguageNameField()
    time_zone = TimeZoneField()
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)
