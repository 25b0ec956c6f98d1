"""Serializer fields of the API contract that DRF lacks, or reads too loosely."""

import re
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ddc.common import money
from ddc.common.api.rendering import utc
from ddc.common.api.routes import AnyCaseUUID
from ddc.common.reference import countries, currencies, languages
from ddc.common.reference.currencies import DECIMALS


class EmptyIsNull:
    """Read ``""`` as null: it clears an optional field, and is refused for a required one."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(None if data == "" else data)  # type: ignore[misc]


class TextField(serializers.CharField):
    """Text, stored as typed. A number is refused, and ``""`` is read as null where null is allowed."""

    default_error_messages = {"string": _("This must be text.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        if kwargs.get("allow_null"):
            kwargs["allow_blank"] = True
        super().__init__(**kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("string")
        if isinstance(data, str) and not data.strip():
            data = None if self.allow_null else ""
        return super().run_validation(data)


class EmailField(TextField):
    """An e-mail address of at most 254 characters (RFC 5321, section 4.5.3.1.3)."""

    def __init__(self, **kwargs: Any) -> None:
        from django.core.validators import EmailValidator

        super().__init__(max_length=254, **kwargs)
        self.validators.append(EmailValidator("This must be an e-mail address.", code="email"))


class MoneyField(EmptyIsNull, serializers.Field[Any, Any, Any, Any]):
    """An amount, with its currency in another attribute of the same object.

    It is read exactly (see ``money.read``). The domain function, which knows the currency, refuses too many decimals. It is
    written as a string with the currency's decimals.
    """

    def __init__(self, *, currency: str = "currency_code", positive: bool = False, **kwargs: Any) -> None:
        self.currency, self.positive = currency, positive
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            amount = money.read(data)
        except money.BadAmount as error:
            raise serializers.ValidationError(error.message, error.code) from error
        if amount < 0 or (self.positive and amount == 0):
            raise serializers.ValidationError(
                f"This must be {'more than' if self.positive else 'at least'} 0.", "range"
            )
        return amount

    def get_attribute(self, instance: Any) -> Any:
        amount = super().get_attribute(instance)
        if amount is None:
            return None
        get = instance.get if isinstance(instance, dict) else lambda name: getattr(instance, name)
        return amount, get(self.currency)

    def to_representation(self, value: tuple[Decimal, str]) -> str:
        return money.text(*value)


class DecimalField(EmptyIsNull, serializers.Field[Any, Any, Any, Any]):
    """A decimal within inclusive bounds; a string with ``places`` decimals in answers."""

    def __init__(self, *, places: int, least: int, most: int | None, **kwargs: Any) -> None:
        self.places, self.least, self.most = places, least, most
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            value = money.read(data)
        except money.BadAmount as error:
            raise serializers.ValidationError("This must be a number.", error.code) from error
        if value < self.least or (self.most is not None and value > self.most):
            raise serializers.ValidationError(f"This must be between {self.least} and {self.most}.", "range")
        exact = round(value, self.places)
        if exact != value:
            raise serializers.ValidationError(f"This has more than {self.places} decimals.", "range")
        return exact

    def to_representation(self, value: Decimal) -> str:
        return f"{value:.{self.places}f}"


class IntegerField(EmptyIsNull, serializers.IntegerField):
    """A whole number, also as a string of digits. ``true`` and ``1.5`` are refused."""

    default_error_messages = {"invalid": _("This must be a whole number."), "number": _("This must be a whole number.")}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and re.fullmatch(r"-?[0-9]{1,18}", data, re.ASCII):
            return int(data)
        if isinstance(data, Decimal) and data.is_finite() and -30 <= data.adjusted() <= 18 and data == int(data):
            return int(data)
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        raise serializers.ValidationError(self.error_messages["number"], "number")


class BooleanField(EmptyIsNull, serializers.BooleanField):
    """``true`` or ``false``, and nothing similar."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("This must be true or false.", "boolean")
        return data


class ChoiceField(serializers.ChoiceField):
    """One of a few choices; ``""`` is read as no value."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data == "" and (self.allow_null or not self.required):
            data = None if self.allow_null else serializers.empty
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", input=data)
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


class DateField(EmptyIsNull, serializers.DateField):
    """A date in the form ``YYYY-MM-DD``."""

    def to_internal_value(self, value: Any) -> date:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise serializers.ValidationError("This must be a date, such as 2026-01-31.", "date")

    def to_representation(self, value: date) -> str:
        return value.isoformat()


class TimeField(EmptyIsNull, serializers.DateTimeField):
    """A time; in UTC with milliseconds in answers."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value)
        except (serializers.ValidationError, OverflowError, TypeError) as error:
            raise serializers.ValidationError(
                "This must be a time, such as 2026-01-31T08:00:00.000Z.", "date"
            ) from error

    def to_representation(self, value: datetime) -> str:
        return utc(value)


class CurrencyField(TextField):
    """An ISO 4217 code in any case, stored in upper case."""

    def to_internal_value(self, data: str) -> str:
        if data.upper() not in DECIMALS:
            raise serializers.ValidationError(currencies.unknown(data), "enum")
        return data.upper()


class CountryField(TextField):
    """An ISO 3166-1 alpha-2 code in any case, stored in upper case."""

    def to_internal_value(self, data: str) -> str:
        if data.upper() not in countries.names():
            raise serializers.ValidationError("Unknown country. Use an ISO 3166-1 alpha-2 code such as GB.", "enum")
        return data.upper()


class LanguageField(TextField):
    """A BCP 47 code or a language's English name, stored as the code."""

    def to_internal_value(self, data: str) -> str:
        code = languages.read(data)
        if code is None:
            raise serializers.ValidationError("Unknown language. Use a code such as pt-BR or an English name.", "enum")
        return code


@extend_schema_field(OpenApiTypes.UUID)
class ReferenceField(EmptyIsNull, serializers.Field[Any, Any, Any, Any]):
    """The id of another resource: it reads the object and writes the id.

    With ``id_only`` the object is not loaded, for a domain function that loads it under a lock.
    """

    def __init__(self, queryset: "QuerySet[Any] | None" = None, *, id_only: bool = False, **kwargs: Any) -> None:
        self.queryset, self.id_only = queryset, id_only
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Model:
        if self.queryset is None:
            raise TypeError(f"{self.field_name} is read-only")
        if not isinstance(data, str) or not re.fullmatch(AnyCaseUUID.regex, data):
            raise serializers.ValidationError("This must be a UUID.", "uuid")
        key = uuid.UUID(data)
        if self.id_only:
            unread: Model = self.queryset.model.from_db(self.queryset.db, ["id"], [key])
            return unread
        found: Model | None = self.queryset.all().filter(pk=key).first()
        if found is None:
            raise serializers.ValidationError("This resource does not exist.", "database.exists")
        return found

    def get_attribute(self, instance: Any) -> Any:
        if isinstance(instance, dict):
            return instance.get(f"{self.source}_id")
        return getattr(instance, f"{self.source}_id")

    def to_representation(self, value: Any) -> str:
        return str(value)
