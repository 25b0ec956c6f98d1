"""Serializers for debtors."""

from typing import Any

from rest_framework import serializers

from ddc.common.api.fields import CountryField, DateField, EmailField, LanguageField, TextField, TimeField
from ddc.common.api.serializers import CamelSerializer
from ddc.common.reference import languages
from debtors import phones, zones
from debtors.models import Debtor


def _optional(**kwargs: Any) -> dict[str, Any]:
    return {"required": False, "allow_null": True, **kwargs}


class DebtorSerializer(CamelSerializer):
    """A debtor with its computed values."""

    id = serializers.UUIDField(read_only=True)
    first_name = TextField(max_length=100, **_optional())
    last_name = TextField(max_length=100, **_optional())
    email = EmailField(allow_null=True)
    mobile_phone = TextField(max_length=40, **_optional())
    mobile_phone_valid = serializers.SerializerMethodField("is_phone_known")
    legal_entity = TextField(max_length=255, **_optional())
    dob = DateField(**_optional())
    address_line1 = TextField(max_length=255, **_optional())
    address_line2 = TextField(max_length=255, **_optional())
    city = TextField(max_length=255, **_optional())
    region_state = TextField(max_length=255, **_optional())
    postal_code = TextField(max_length=255, **_optional())
    country_code = CountryField(**_optional())
    language_preference = LanguageField(**_optional())
    language_name = serializers.SerializerMethodField("language_of")
    time_zone = serializers.SerializerMethodField("time_zone_of")
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)

    def is_phone_known(self, debtor: Debtor) -> bool | None:
        return phones.is_known(debtor.mobile_phone) if debtor.mobile_phone else None

    def language_of(self, debtor: Debtor) -> str | None:
        return languages.name(debtor.language_preference) if debtor.language_preference else None

    def time_zone_of(self, debtor: Debtor) -> str | None:
        return zones.time_zone(
            country_code=debtor.country_code,
            region_state=debtor.region_state,
            city=debtor.city,
            postal_code=debtor.postal_code,
        )
