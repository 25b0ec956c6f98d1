"""What schemathesis can't know of this API by itself. It runs in a process of its own, which loads this module."""

import os
import re
from datetime import UTC, datetime
from typing import Any

import schemathesis

#: (field, rule) of refusals that JSON Schema can't foretell, and why.
EXPECTED = {
    (r".*", "database.exists"): "an id names nothing, or something of another debtor",
    (r".*", "database.unique"): "it is another's already",
    (r"mobilePhone", "regex"): "what is no E.164 number has to be one of the debtor's country",
    (r"firstName|lastName", "required"): "a debtor is a person or a company",
    (r"dob|date|updatedAt", "date"): "it lies in the past, and within the calendar",
    (r"language|languagePreference", "enum"): "a language's code or English name, by CLDR",
    (r"channel", "enum"): "a rule's channel is its template's",
    (r"subject", "required"): "mail has a subject",
    (r"subject|body", "placeholder"): "double braces hold known names alone",
    (r"currencyCode", "enum"): "a payment is in its debt's currency",
    (r"currencyCode", "required"): "a balance band has a currency",
    (r"currencyCode|originalBalance|debtorId", "immutable"): "payments were made against it",
    (
        r"amount|portion|(original|current|min|max)(Balance)?",
        "range",
    ): "a currency has so many decimals; no more is open",
    (r"(p2p|minP2p|maxP2p)Score", "range"): "a score has three decimals; a band isn't empty",
    (r"(min|max)DaysSincePlacement", "range"): "a band isn't empty",
    (r"debtor_id|debt_id|debtorId|debtId", "required"): "sending needs both",
    (r"metadata(\..*)?", "maxLength"): "4 KiB in all",
    (r"metadata(\..*)?", "range"): "a number that JSON can't give back",
    (r"Idempotency-Key|None", "idempotency"): "a key belongs to one body",
}
#: Whole numbers may come in strings of digits, whose bounds no pattern tells.
IN_DIGITS = re.compile(
    r"(trigger\.)?daysSincePlacement|maxLatenessDays|priority|requestedDeferralDays|(min|max)DaysSincePlacement"
)


@schemathesis.check
def documented_refusal(ctx: Any, response: Any, case: Any) -> None:
    """A request that fits the description is refused only for what no description can tell."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if not positive or response.status_code != 422:
        return
    for error in response.json()["errors"]:
        assert _is_expected(error, case), f"was refused though it fits the description: {error}"


def _is_expected(error: dict[str, Any], case: Any) -> bool:
    field, rule = str(error["field"]), error["rule"]
    if rule == "regex" and "cannot be stored" in error["message"]:
        return field.split(".")[0] not in _described(case)  # NUL where nothing is described.
    if rule == "range" and IN_DIGITS.fullmatch(field) and isinstance(_sent(case.body, field), str):
        return True
    return any(re.fullmatch(fields, field) and rule == expected for fields, expected in EXPECTED)


def _described(case: Any) -> set[str]:
    """Return the names in the body that are described, but for those of objects, within which other names may stand."""
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
        """The caller's token; to sign out, a debtor has one of its own each time, or the first would end all the rest."""

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
