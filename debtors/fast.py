"""Fast reads of debtors: a page with open amounts, and one debtor with debts, messages and activities."""

import uuid
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpRequest
from django.utils.timezone import now

from collection.balances import totals
from collection.fast import ORIGINAL_CREDITOR
from collection.models import DebtStatus
from collection.serializers import DebtWithSegmentSerializer, SegmentSerializer, TotalsSerializer
from communications.serializers import CommunicationLogSerializer
from ddc.common import money
from ddc.common.api.parser import is_storable
from ddc.common.api.serializers import write
from ddc.common.api.views import NEWEST
from ddc.common.days import agency_today
from ddc.common.reference import countries, languages
from ddc.common.text_search import pattern_of
from ddc.fast import json_in_sql
from ddc.fast.lists import FastList, Filter
from ddc.fast.reads import fetch_row
from debtors import phones, zones
from debtors.api import DebtorInListSerializer
from debtors.serializers import DebtorSerializer
from portal.serializers import DigitalActivitySerializer


def _derive(debtor: dict[str, Any]) -> None:
    """Add the fields that only Python can compute."""
    phone, language = debtor["mobilePhone"], debtor["languagePreference"]
    debtor["mobilePhoneValid"] = phones.is_known(phone) if phone else None
    debtor["languageName"] = languages.name(language) if language else None
    debtor["timeZone"] = zones.time_zone(
        country_code=debtor["countryCode"],
        region_state=debtor["regionState"],
        city=debtor["city"],
        postal_code=debtor["postalCode"],
    )


def _complete(debtors: list[dict[str, Any]]) -> None:
    by_currency = "outstandingByCurrency"
    rates = totals.rates_if_mixed(
        ([part["currencyCode"] for part in debtor[by_currency]] for debtor in debtors), agency_today(now())
    )
    for debtor in debtors:
        _derive(debtor)
        if len(debtor[by_currency]) == 1:
            debtor["totalOutstandingAmount"] = debtor[by_currency][0]["amount"]
            continue
        sums = {part["currencyCode"]: Decimal(part["amount"]) for part in debtor[by_currency]}
        total = totals.in_one_currency(sums, rates)
        amount = None if total.amount is None else money.text(total.amount, total.currency_code)
        debtor |= {"totalOutstandingAmount": amount, "unconvertedCurrencies": list(total.unconverted)}


def _country(text: str) -> str | None:
    return text.upper() if text.upper() in countries.names() else None


def _pattern(text: str) -> str | None:
    return pattern_of(text) if is_storable(text) else None


_OUTSTANDING = json_in_sql.rows(f"""
    SELECT currency_code AS "currencyCode", {json_in_sql.amount("sum(current_balance)", "currency_code")} AS amount,
        count(*) AS debts
    FROM debt WHERE debtor_id = debtor.id AND debt_is_open(current_status)
    GROUP BY currency_code ORDER BY currency_code
""")

debtors = FastList(
    permission="debtors.view_debtor",
    table="debtor",
    serializer=DebtorInListSerializer,
    filters={
        "country_code": Filter("debtor.country_code = %(country_code)s", _country),
        "search": Filter("debtor.search LIKE search_text(%(search)s)", _pattern, plan_by_value=True),
    },
    computed={
        "totalOutstandingAmount": "NULL::text",
        "outstandingByCurrency": f"{_OUTSTANDING}::json",
        "unconvertedCurrencies": "'[]'::json",
    },
    complete=_complete,
)


def _newest(serializer: Any, table: str, join: str = "", **more: str) -> str:
    """Return the SQL of a debtor's newest rows and of their number, as two columns."""
    return (
        json_in_sql.rows(f"""
            SELECT {json_in_sql.columns(serializer, table, **more)} FROM {table} {join}
            WHERE {table}.debtor_id = %(pk)s ORDER BY {table}.created_at DESC, {table}.id DESC LIMIT {NEWEST}
        """)
        + f", (SELECT count(*) FROM {table} WHERE debtor_id = %(pk)s)"
    )


_DEBTOR_PAGE = ", ".join([
    f"(SELECT {json_in_sql.row(DebtorSerializer, 'debtor')}::text FROM debtor WHERE id = %(pk)s)",
    f"""ARRAY(
        SELECT ARRAY[currency_code, sum(original_balance)::text, sum(current_balance)::text, count(*)::text] FROM debt
        WHERE debtor_id = %(pk)s AND current_status <> '{DebtStatus.RECALLED.value}'
        GROUP BY currency_code ORDER BY currency_code
    )""",
    _newest(
        DebtWithSegmentSerializer, "debt", "LEFT JOIN segment ON segment.id = debt.segment_id",
        segment=json_in_sql.row(SegmentSerializer, "segment"), originalCreditor=ORIGINAL_CREDITOR,
    ),
    _newest(
        CommunicationLogSerializer, "communication_log",
        debtIds="CASE WHEN debt_id IS NULL THEN '{}' ELSE ARRAY[debt_id] END",
    ),
    _newest(DigitalActivitySerializer, "digital_activity"),
])  # fmt: skip


def debtor(request: HttpRequest, pk: uuid.UUID) -> bytes | None:
    """Answer one debtor with the newest debts, messages and activities."""
    row = None if request.GET else fetch_row(request, "debtors.view_debtor", _DEBTOR_PAGE, {"pk": pk})
    if row is None or row[0] is None:
        return None
    written, sums, debts, debts_total, logs, logs_total, activities, activities_total = row
    answer = orjson.loads(written)
    _derive(answer)
    by_currency = [
        totals.CurrencyTotals(code, Decimal(original), Decimal(current), int(debts))
        for code, original, current, debts in sums
    ]
    return orjson.dumps(
        answer
        | {
            "totals": write(TotalsSerializer, totals.add_up(by_currency, today=agency_today(now()))),
            "debts": orjson.Fragment(debts),
            "debtsTotal": debts_total,
            "communicationLogs": orjson.Fragment(logs),
            "communicationLogsTotal": logs_total,
            "digitalActivities": orjson.Fragment(activities),
            "digitalActivitiesTotal": activities_total,
        }
    )
