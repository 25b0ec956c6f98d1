"""Hooks for schemathesis, which runs as a separate process and loads this module."""

import os
import re
from datetime import UTC, datetime
from typing import Any

import schemathesis

#: The (field, rule) of refusals that JSON Schema cannot describe, and the reasons.
EXPECTED = {
    (r".*", "database.exists"): "the id is unknown, or belongs to another debtor",
    (r".*", "database.unique"): "the value exists already",
    (r"mobilePhone", "regex"): "a number that is not E.164 must be valid in the debtor's country",
    (r"firstName", "required"): "a debtor is a person or a company",
    (r"email", "email"): "mail servers need the domain in ASCII, within their limits",
    (r"dob|date|updatedAt", "date"): "the date must be in the past and exist",
    (r"language|languagePreference", "enum"): "a language code or English name of CLDR",
    (r"channel", "enum"): "a rule's channel is its template's",
    (r"subject", "required"): "mail has a subject",
    (r"subject|body", "placeholder"): "double braces enclose known names only",
    (r"currencyCode", "enum"): "a payment is in its debt's currency",
    (r"currencyCode", "required"): "a balance band has a currency",
    (r"currencyCode|originalBalance|debtorId", "immutable"): "the debt has payments",
    (
        r"amount|portion|(original|current|min|max)(Balance)?",
        "range",
    ): "the currency limits the decimals, the balance the amount",
    (r"(p2p|minP2p|maxP2p)Score", "range"): "a score has three decimals; a band is not empty",
    (r"(min|max)DaysSincePlacement", "range"): "a band is not empty",
    (r"debtor_id|debt_id|debtorId|debtId", "required"): "sending requires both",
    (r"metadata(\..*)?", "maxLength"): "4 KiB in total",
    (r"metadata(\..*)?", "range"): "a number that our JSON cannot return",
    (r"series|fixedPercent", "required"): "an interest schedule has a series or a fixed rate",
    (r"table(\..*)?", "range"): "the steps of a table ascend",
    (r"schedule|total|discount|dueOn|instalmentNo", "range"): "an arrangement fits its debts and its dates",
    (r"dueOn|amount", "required"): "a change of an instalment has its new day or amount",
    (r"income", "required"): "a budget has an income, which may be 0",
    (r"otpCode", "otp"): "a code is one that was sent",
    (r"Idempotency-Key|None", "idempotency"): "a key belongs to one body",
}
#: Whole numbers may be strings of digits, and a pattern cannot limit their value.
IN_DIGITS = re.compile(
    r"(trigger\.)?daysSincePlacement|maxLatenessDays|priority|requestedDeferralDays|(min|max)DaysSincePlacement"
)


@schemathesis.check
def documented_refusal(ctx: Any, response: Any, case: Any) -> None:
    """A request that fits the description is refused only for reasons that a description cannot have."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if not positive or response.status_code != 422:
        return
    for error in response.json()["errors"]:
        assert _is_expected(error, case), f"was refused though it fits the description: {error}"


def _is_expected(error: dict[str, Any], case: Any) -> bool:
    field, rule = str(error["field"]), error["rule"]
    if rule == "regex" and "cannot be stored" in error["message"]:
        return field.split(".")[0] not in _described(case)  # NUL in an undescribed field.
    if rule == "range" and IN_DIGITS.fullmatch(field) and isinstance(_sent(case.body, field), str):
        return True
    return any(re.fullmatch(fields, field) and rule == expected for fields, expected in EXPECTED)


def _described(case: Any) -> set[str]:
    """Return the described names of the body, without those of objects, which may contain other names."""
    raw = case.operation.schema.raw_schema
    schema = case.operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = schema.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    described = raw["components"]["schemas"].get(name, {}).get("properties", {})
    return {name for name, value in described.items() if not _is_object(value, raw["components"]["schemas"])}


def _is_object(value: dict[str, Any], schemas: dict[str, Any]) -> bool:
    value = schemas[value["$ref"].rsplit("/", 1)[-1]] if "$ref" in value else value
    parts = [*value.get("allOf", ()), *value.get("anyOf", ()), *value.get("oneOf", ())]
    return "object" in value.get("type", ()) or any(_is_object(part, schemas) for part in parts)


def _sent(body: Any, path: str) -> Any:
    for part in path.split("."):
        body = body.get(part) if isinstance(body, dict) else None
    return body


if "FUZZ_TOKEN" in os.environ:

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        """The caller's token. Each sign-out of a debtor gets a new one, because the first would end all others."""

        def get(self, case: Any, context: Any) -> str:
            signs_out = "FUZZ_DEBTOR" in os.environ and case.path == "/debtors/auth/logout"
            return _debtor_token() if signs_out else os.environ["FUZZ_TOKEN"]

        def set(self, case: Any, data: str, context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


def _debtor_token() -> str:
    import django

    django.setup()
    from debtors.models import Debtor
    from portal import tokens

    return tokens.issue(Debtor(pk=os.environ["FUZZ_DEBTOR"]), now=datetime.now(UTC))[0]
