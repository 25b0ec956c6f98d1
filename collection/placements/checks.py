"""Check the rows of a placement file by the API's rules for fields.

Codes, phones and e-mail addresses are read in Python while the rows are copied into the staging table. SQL checks the other
columns there in one pass. Both write line, column and reason to a table of refusals.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from django.db import connection, models

from collection.models import OPEN, Debt
from creditors.models import Creditor
from ddc.common import days, money
from ddc.common.api.rendering import camel
from ddc.common.bounded_cache import bounded_cache
from ddc.common.errors import Invalid
from ddc.common.reference import countries, currencies, languages
from ddc.common.reference.currencies import DECIMALS
from debtors import emails, phones
from debtors.models import Debtor

#: A long number as Excel writes it: the digits after the first are lost.
_SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+")
_SHORTENED_REASON = (
    "Excel shortened this number. Give the column the format “Text” before the file is opened, and save it again."
)
#: The texts that a spreadsheet writes where it has no value, or where the column is too narrow for it.
_NO_VALUE = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!|#+)")
_FORMULA = re.compile(r'="[^"]*"')
#: It stands for a letter that could not be decoded.
_LOST_LETTER = "\ufffd"


@dataclass(frozen=True, order=True)
class RefusedRow:
    """A refused row: its line, the reason, and the column at fault, if it is one."""

    line: int
    column: str | None
    reason: str


def remains(text: str) -> str | None:
    """Return why a cell holds what a spreadsheet left in the place of a value, if it does."""
    if _NO_VALUE.fullmatch(text):
        return "Excel had no value to write here. Correct the cell in the workbook, and save it again."
    if _FORMULA.fullmatch(text):
        return f"This is a formula. Write only its value: {text[2:-1][:40]}"
    if _LOST_LETTER in text:
        return (
            "Letters of this text were lost (\ufffd) when the file was saved. Save it as “CSV UTF-8” from its source."
        )
    return None


def currency(text: str) -> str:
    if text.upper() not in DECIMALS:
        raise Invalid(currencies.unknown(text))
    return text.upper()


def country(text: str) -> str:
    if text.upper() not in countries.names():
        raise Invalid("Unknown country. Use an ISO 3166-1 alpha-2 code such as GB.")
    return text.upper()


@bounded_cache(1_000)
def language(text: str) -> str:
    code = languages.read(text)
    if code is None:
        raise Invalid("Unknown language. Use a code such as pt-BR or an English name.")
    return code


def email(text: str) -> str:
    if len(text) > 254:
        raise Invalid("This is longer than 254 characters.")
    emails.check(text, field="email")
    return text


def phone(text: str, country_code: str | None) -> str:
    if _SHORTENED.fullmatch(text):
        raise Invalid(_SHORTENED_REASON)
    return phones.normalise(text, country_code)


#: The functions that read a column's text. The phone is read after them, since it depends on the country.
READERS: dict[str, Callable[[str], str]] = {
    "email": email,
    "currency_code": currency,
    "country_code": country,
    "language_preference": language,
}

_FIELDS = [*Debtor.input_fields(), *Debt.input_fields()]
_READ_IN_PYTHON = {*READERS, "mobile_phone"}
#: API name and column of each text, with its greatest length.
_LENGTHS = {
    camel(field.name): (field.name, field.max_length)
    for field in _FIELDS
    if isinstance(field, models.CharField) and not field.choices and field.name not in _READ_IN_PYTHON
} | {"originalCreditor": ("original_creditor", Creditor._meta.get_field("name").max_length)}
#: API name and column of each date and each number.
DATES = {camel(field.name): field.name for field in _FIELDS if isinstance(field, models.DateField)}
DATES["interestFrom"] = "interest_from"
_PARTS = ("interest", "costs", "fees")
_AMOUNTS = {"originalBalance": "original_balance", "currentBalance": "current_balance"} | {
    name: name for name in ("principal", *_PARTS)
}
NUMBERS = {**_AMOUNTS, "p2pScore": "p2p_score"}
_REQUIRED = {"originalCreditor": "original_creditor", "originalBalance": "original_balance"}

_PLAIN = r"'^-?[0-9]+(\.[0-9]+)?$'"
_DAY = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"
_UUID = "'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'"


def _date_fault(column: str) -> str:
    past = "WHEN dob::date >= %(today)s THEN 'The date of birth must lie in the past.'" if column == "dob" else ""
    plausible = f"""WHEN {column}::date NOT BETWEEN %({column}_first)s::date AND %({column}_last)s::date
        THEN %({column}_message)s::text"""
    return f"""CASE WHEN {column} IS NULL THEN NULL
        WHEN {column} ~ '^[0-9]{{5}}([.,][0-9]+)?$' THEN 'Excel wrote this date as a number. Give the column a date format.'
        WHEN {column} !~ {_DAY} OR NOT pg_input_is_valid({column}, 'date') THEN 'This must be a date, such as 2026-01-31.'
        {past}
        {plausible} END"""


def _amount_fault(column: str) -> str:
    least = "> 0" if column == "original_balance" else ">= 0"
    words = "more than" if column == "original_balance" else "at least"
    return f"""CASE WHEN {column} IS NULL THEN NULL
        WHEN {column} !~ {_PLAIN} THEN 'This must be an amount, such as 500.00.'
        WHEN length({column}) > 40 OR abs({column}::numeric) >= {money.LIMIT} THEN 'This amount is out of range.'
        WHEN NOT {column}::numeric {least} THEN 'This must be {words} 0.'
        WHEN scale({column}::numeric) > decimals THEN
            format('%%s has %%s decimals.', currency_code, CASE decimals WHEN 0 THEN 'no' ELSE decimals::text END)
        END"""


_SUM_OF_PARTS = " + ".join(f"coalesce({name}, '0')::numeric" for name in _PARTS)
_ALL_PLAIN = " AND ".join(
    f"coalesce({name}, '0') ~ {_PLAIN}" for name in ("original_balance", "current_balance", "principal", *_PARTS)
)
# An amount that can't be read is named at its own column.
_COMPOSITION_FAULT = f"""CASE WHEN num_nonnulls(principal, {", ".join(_PARTS)}) = 0 OR NOT ({_ALL_PLAIN}) THEN NULL
        WHEN {_SUM_OF_PARTS} + coalesce(principal::numeric, 0) > original_balance::numeric
            OR {_SUM_OF_PARTS} + principal::numeric <> original_balance::numeric
        THEN 'Principal, interest, costs and fees must add up to originalBalance.'
        WHEN current_balance::numeric < {_SUM_OF_PARTS}
        THEN 'The currentBalance is lower than interest, costs and fees. What was paid before is taken from principal.'
        END"""


# The codes of the table of ended currencies that debts can have; the others are unknown currencies.
_ENDED = " ".join(
    f"WHEN currency_code = '{code}' AND %(today)s::date >= '{ended.on}' THEN '{currencies.unknown(code)}'"
    for code, ended in currencies.ENDED.items()
    if code in DECIMALS
)
_FAULTS = {
    "email": """CASE WHEN num_nonnulls(email, mobile_phone, external_reference) = 0
        THEN 'A row needs email, mobilePhone or externalReference.' END""",
    "currencyCode": f"CASE {_ENDED} END",
    **{
        name: f"CASE WHEN length({column}) > {most} THEN 'This is longer than {most} characters.' END"
        for name, (column, most) in _LENGTHS.items()
    },
    "externalReference": f"""CASE WHEN length(external_reference) > 255 THEN 'This is longer than 255 characters.'
        WHEN external_reference ~ '^{_SHORTENED.pattern}$' THEN '{_SHORTENED_REASON}' END""",
    **{name: _date_fault(column) for name, column in DATES.items()},
    **{name: _amount_fault(column) for name, column in _AMOUNTS.items()},
    "principal": f"coalesce({_amount_fault('principal')}, {_COMPOSITION_FAULT})",
    "currentStatus": f"""CASE WHEN NOT debt_is_open(current_status)
        THEN 'A debt is placed in one of these statuses: {", ".join(OPEN)}.' END""",
    "p2pScore": f"""CASE WHEN p2p_score IS NULL THEN NULL
        WHEN p2p_score !~ {_PLAIN} OR length(p2p_score) > 40 THEN 'This must be a number.'
        WHEN p2p_score::numeric NOT BETWEEN 0 AND 1 THEN 'This must be between 0 and 1.'
        WHEN scale(trim_scale(p2p_score::numeric)) > 3 THEN 'This has more than 3 decimals.' END""",
    "segmentId": f"""CASE WHEN segment_id IS NULL THEN NULL
        WHEN segment_id !~ {_UUID} THEN 'This must be a UUID.'
        WHEN NOT EXISTS (SELECT FROM segment WHERE id = segment_id::uuid) THEN 'This segment does not exist.' END""",
}
# Most rows have no fault, so the faulty ones are selected first; only these need a second look at each column.
_CHECK = """
    INSERT INTO placement_refusal
    SELECT line, fault.column_name, fault.reason
    FROM (SELECT * FROM placement_row WHERE num_nonnulls({faults}) > 0) AS faulty
    CROSS JOIN LATERAL (VALUES {named_faults}) AS fault (column_name, reason)
    WHERE fault.reason IS NOT NULL
"""


def check(*, today: date, only: Collection[str] | None = None) -> None:
    """Record the faults of all staged rows in the columns that Python does not read, or in ``only`` these."""
    required = {name: f"CASE WHEN {column} IS NULL THEN 'This is required.' END" for name, column in _REQUIRED.items()}
    named = [
        (name, fault)
        for faults in (required, _FAULTS)
        for name, fault in faults.items()
        if only is None or name in only
    ]
    sql = _CHECK.format(
        faults=", ".join(fault for _, fault in named),
        named_faults=", ".join(f"('{name}', {fault})" for name, fault in named),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"today": today, **_plausible_dates(today)})


def _plausible_dates(today: date) -> dict[str, date | str]:
    """Return the parameters with the bounds of each date, and the refusal of a date beyond them."""
    params: dict[str, date | str] = {}
    for column in DATES.values():
        bounds = days.plausible(column, today=today)
        params |= {f"{column}_first": bounds.first, f"{column}_last": bounds.last, f"{column}_message": bounds.message}
    return params
