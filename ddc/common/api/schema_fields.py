"""Describe our serializer fields in OpenAPI, as bodies accept them and as answers have them.

An optional field also accepts null and ``""``. If JSON Schema cannot express a check (the country of a phone, the decimals of a
currency), the description accepts more than the API, which then answers 422.
"""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from ddc.common.api import fields
from ddc.common.reference import countries
from ddc.common.reference.currencies import DECIMALS

Described = dict[str, Any]

_NO_NUL = r"^[^\x00]*$"
#: Not blank in Python (``str.strip``) or JavaScript, and without NUL.
_NOT_BLANK = r"^[^\x00]*[^\s\x00\x1c-\x1f\x85\ufeff][^\x00]*$"
_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"
_MONEY = r"^0*[0-9]{1,16}(\.[0-9]{1,4}0*)?$"
_MONEY_BUT_0 = r"^(?=.*[1-9])0*[0-9]{1,16}(\.[0-9]{1,4}0*)?$"
_SHARE = r"^0*(0(\.[0-9]{1,3}0*)?|1(\.0+)?)$"
_DIGITS = r"^[0-9]{1,18}$"
_DIGITS_BUT_0 = r"^0*[1-9][0-9]{0,17}$"
_MOST_MONEY = 10**16
_LONGEST_AMOUNT = 40

EMPTY: Described = {"type": "string", "maxLength": 0}
NULL: Described = {"type": "null"}

CURRENCIES = sorted(DECIMALS)
COUNTRIES = sorted(countries.names())
#: Codes are accepted in any case; the description has two.
CODES: dict[str, Described] = {
    "Currency": {"type": "string", "description": "ISO 4217.", "enum": CURRENCIES},
    "Country": {"type": "string", "description": "ISO 3166-1 alpha-2.", "enum": COUNTRIES},
    "CurrencyRequest": {
        "type": "string",
        "description": "ISO 4217, in any case.",
        "enum": [*CURRENCIES, *(code.lower() for code in CURRENCIES)],
    },
    "CountryRequest": {
        "type": "string",
        "description": "ISO 3166-1 alpha-2, in any case.",
        "enum": [*COUNTRIES, *(code.lower() for code in COUNTRIES)],
    },
}


def describe(field: serializers.Field[Any, Any, Any, Any], direction: str, *, never_null: bool) -> Described | None:
    """Return the schema of one of our fields, or None for any other.

    With ``never_null``, an answer always has a value, although a body may leave it out.
    """
    found = _in_body(field) if direction == "request" else _in_answer(field)
    if found is None:
        return None
    wider = []
    if field.allow_null and not (direction == "response" and never_null):
        wider = [NULL] if direction == "response" or _takes_empty(found) else [EMPTY, NULL]
    schema = _widen(found, wider)
    return {"description": str(field.help_text), **schema} if field.help_text else schema


def _takes_empty(found: Described) -> bool:
    return found.get("pattern") == _NO_NUL


def _widen(found: Described, more: list[Described]) -> Described:
    if not more:
        return found
    if "anyOf" in found:
        return {"anyOf": [*found["anyOf"], *more]}
    if more == [NULL] and isinstance(found.get("type"), str):
        return {
            **found,
            "type": [found["type"], "null"],
            **({"enum": [*found["enum"], None]} if "enum" in found else {}),
        }
    if "enum" in found:
        return {"type": ["string", "null"], "enum": [*found["enum"], "", None]}
    return {"anyOf": [found, *more]}


def _code(field: Any, direction: str) -> Described | None:
    names = {fields.CurrencyField: "Currency", fields.CountryField: "Country"}
    name = names.get(type(field))
    return {"$ref": f"#/components/schemas/{name}{'Request' if direction == 'request' else ''}"} if name else None


def _in_body(field: Any) -> Described | None:
    """Describe a field of a body, without null and ``""``."""
    if code := _code(field, "request"):
        return code
    if isinstance(field, fields.TextField):
        return _text(field)
    if isinstance(field, fields.MoneyField):
        least: Described = {"exclusiveMinimum": 0} if field.positive else {"minimum": 0}
        number = {"type": "number", **least, "exclusiveMaximum": _MOST_MONEY}
        pattern = _MONEY_BUT_0 if field.positive else _MONEY
        return {"anyOf": [number, {"type": "string", "pattern": pattern, "maxLength": _LONGEST_AMOUNT}]}
    if isinstance(field, fields.DecimalField):
        number = {"type": "number", "minimum": field.least, "maximum": field.most}
        return {"anyOf": [number, {"type": "string", "pattern": _SHARE, "maxLength": _LONGEST_AMOUNT}]}
    if isinstance(field, fields.IntegerField):
        bounds = {"minimum": field.min_value, "maximum": field.max_value}
        number = {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
        return {
            "anyOf": [
                number,
                {"type": "string", "pattern": _DIGITS_BUT_0 if field.min_value else _DIGITS, "maxLength": 18},
            ]
        }
    if isinstance(field, fields.TimeField):
        return {"type": "string", "format": "date-time"}
    return _plain(field)


def _text(field: fields.TextField) -> Described:
    bounds = {"minLength": field.min_length or (0 if field.allow_null else 1), "maxLength": field.max_length}
    schema: Described = {"type": "string", **{name: bound for name, bound in bounds.items() if bound}}
    if isinstance(field, fields.EmailField):
        return {**schema, "format": "email"}
    own = [
        str(getattr(found.regex, "pattern", found.regex))
        for found in field.validators
        if isinstance(found, RegexValidator)
    ]
    patterns = [pattern.replace(r"\A", "^").replace(r"\Z", "$") for pattern in own]
    return {**schema, "pattern": (patterns or [_NO_NUL if field.allow_null else _NOT_BLANK])[0]}


def _in_answer(field: Any) -> Described | None:
    if code := _code(field, "response"):
        return code
    if isinstance(field, fields.TextField):
        return {"type": "string"}
    if isinstance(field, fields.MoneyField | fields.DecimalField):
        return {"type": "string", "pattern": _DECIMAL}
    if isinstance(field, fields.IntegerField):
        return {"type": "integer"}
    if isinstance(field, fields.TimeField):
        return {"type": "string", "format": "date-time", "pattern": r"^.{19}\.[0-9]{3}Z$"}
    return _plain(field)


def _plain(field: Any) -> Described | None:
    """Describe a field that is the same in bodies and answers."""
    if isinstance(field, serializers.ChoiceField) and not isinstance(field, serializers.MultipleChoiceField):
        return {"type": "string", "enum": list(field.choices)}
    if isinstance(field, fields.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, fields.DateField):
        return {"type": "string", "format": "date"}
    if isinstance(field, fields.ReferenceField):
        return {"type": "string", "format": "uuid"}
    return None
