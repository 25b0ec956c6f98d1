"""ISO 4217: every currency of a debt, with its number of decimals.

Currencies that have ended are in one dated table: no debt is placed in them, and their amounts are converted at the fixed rate.
Codes without a minor unit (metals, bond units, XDR, XTS, XXX) are left out, because debts are not in them.
Source: ISO 4217 list one, as maintained by SIX.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    2: """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
        CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
        IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
        MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW
        ZWG
    """,
}

DECIMALS: dict[str, int] = {code: places for places, codes in _BY_DECIMALS.items() for code in codes.split()}


@dataclass(frozen=True)
class Ended:
    """A currency that has ended: its first day without it, its successor, and how many units are one of that, by law."""

    on: date
    successor: str
    rate: Decimal

    def convert(self, amount: Decimal) -> Decimal:
        """Convert an amount at the fixed rate, rounded half up (Regulation (EC) 1103/97, article 5, for the euro)."""
        return (amount / self.rate).quantize(Decimal(1).scaleb(-DECIMALS[self.successor]), ROUND_HALF_UP)


def _ended(on: str, successor: str, rate: str) -> Ended:
    return Ended(date.fromisoformat(on), successor, Decimal(rate))


#: The conversion rates to the euro are those of Council Regulation (EC) 2866/98 as amended; the others, of the central banks.
ENDED: dict[str, Ended] = {
    "BGN": _ended("2026-01-01", "EUR", "1.95583"),
    "HRK": _ended("2023-01-01", "EUR", "7.53450"),
    "LTL": _ended("2015-01-01", "EUR", "3.45280"),
    "LVL": _ended("2014-01-01", "EUR", "0.702804"),
    "EEK": _ended("2011-01-01", "EUR", "15.6466"),
    "SKK": _ended("2009-01-01", "EUR", "30.1260"),
    "CYP": _ended("2008-01-01", "EUR", "0.585274"),
    "MTL": _ended("2008-01-01", "EUR", "0.429300"),
    "SIT": _ended("2007-01-01", "EUR", "239.640"),
    "ANG": _ended("2025-07-01", "XCG", "1"),
    "BYR": _ended("2017-01-01", "BYN", "10000"),
    "MRO": _ended("2019-01-01", "MRU", "10"),
    "STD": _ended("2019-01-01", "STN", "1000"),
    "SLL": _ended("2024-04-01", "SLE", "1000"),
    "VEF": _ended("2018-12-05", "VES", "100000"),
    "ZWL": _ended("2024-09-01", "ZWG", "2498.7242"),
}


def ended(code: str, *, today: date) -> Ended | None:
    """Return how a currency ended; None if it is current on that day."""
    found = ENDED.get(code)
    return found if found and found.on <= today else None


def unknown(code: str) -> str:
    """Return the refusal of a code that no debt can have."""
    if found := ENDED.get(code.upper()):
        return f"{code.upper()} ended on {found.on}. Use {found.successor}: 1 {found.successor} is {found.rate} {code.upper()}."
    return "Unknown currency. Use an ISO 4217 code such as EUR."
