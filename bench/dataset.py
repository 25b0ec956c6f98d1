"""Generated data, the same in each run, copied into the tables: 100,000 debtors at scale 1, with their debts and messages."""

import bisect
import itertools
import random
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import phonenumbers
from django.db import connection
from tqdm import tqdm

from ddc.common import normal_forms
from ddc.common.postgresql import owner

SEED = 20_260_101
AS_OF = date(2026, 1, 1)
_MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = {"debtor": 100_000, "debt": 150_000, "payment": 300_000, "communication_log": 600_000}
CURRENCY_OF = {"GB": "GBP", "US": "USD", "JP": "JPY"}
COUNTRIES = "GB US DE FR ES IT NL PL IE BE AT FI PT GR JP".split()
FIRST = (
    "James Mary Robert Anna Peter Maria Jose Wei Priya Ahmed Olga Lars Zoë Pierre Chloé Hans Greta Luca Giulia".split()
)
LAST = "Smith Jones Taylor Brown Patel Khan Müller Schmidt García López Rossi Silva Novak Jensen Okafor Tanaka Dubois".split()
CREDITORS = [f"{a} {b}" for a in ("Acme", "Apex", "Nova", "Union") for b in ("Bank", "Telecom", "Energy", "Retail")]
STATUSES, WEIGHTS = ("active", "paid", "disputed", "settled", "recalled"), (70, 15, 5, 6, 4)
BALANCES = [0, 100, 250, 500, 1000, 2000, 3500, 5000, 10_000, 25_000, 10_000_000]
DAYS = (3, 7, 14, 21, 30, 45, 60, 90, 120, 180)
BODY = (
    "Dear {{debtor_first_name}} {{debtor_last_name}},\n\nour records show that {{debt_amount}} owed to {{original_creditor}} "
    "is still open {{days_since_placement}} days after placement.\n\n{{agency_name}}\n"
)
Row = tuple[Any, ...]


def load(scale: float) -> None:
    """Fill the empty tables of a migrated database, as their owner."""
    with owner.connected(), connection.cursor() as cursor:
        # The generated references are valid, and checking each would take longer than copying.
        cursor.execute("SET session_replication_role = replica")
        for table, columns, total, rows in _tables(scale):
            with (
                cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
                tqdm(rows, desc=f"{table:24}", total=total, unit="row", unit_scale=True, mininterval=1) as shown,
            ):
                for row in shown:
                    copy.write_row(row)
        cursor.execute("SET session_replication_role = DEFAULT")
        # Twice: a snapshot of autovacuum from before a table was filled keeps the first VACUUM from marking its rows as
        # visible to all, and then each count fetches every row.
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("VACUUM")


def _tables(scale: float) -> Iterator[tuple[str, str, int, Iterable[Row]]]:
    random_ = random.Random(SEED)
    size = {table: max(100, int(rows * scale)) for table, rows in SIZES.items()}
    chance, bits = random_.random, random_.getrandbits

    def new_id(moment: datetime) -> uuid.UUID:
        milliseconds = int(moment.timestamp() * 1000)
        return uuid.UUID(int=milliseconds << 80 | 7 << 76 | bits(12) << 64 | 2 << 62 | bits(62))

    def ago(days: int) -> datetime:
        return _MIDNIGHT - timedelta(seconds=int(chance() * days * 86_400) + 1)

    old = _MIDNIGHT - timedelta(days=900)
    currencies = ("EUR", *CURRENCY_OF.values())
    segments = {
        (code, score, band): new_id(old)
        for code, score, band in itertools.product(currencies, range(5), range(len(BALANCES) - 1))
    }
    yield (
        "segment",
        "id, name, priority, min_p2p_score, max_p2p_score, min_balance, max_balance, currency_code, is_active, created_at,"
        " updated_at",
        len(segments),
        [
            (
                pk,
                f"{code} P{p} B{b}",
                100,
                Decimal(p) / 5,
                Decimal(p + 1) / 5,
                BALANCES[b],
                BALANCES[b + 1],
                code,
                True,
                old,
                old,
            )
            for (code, p, b), pk in segments.items()
        ],
    )
    creditors = {new_id(old): name for name in CREDITORS}
    creditor_ids = list(creditors)
    yield (
        "creditor",
        "id, name, created_at, updated_at",
        len(creditors),
        [(pk, name, old, old) for pk, name in creditors.items()],
    )
    yield (
        "creditor_name",
        "creditor_id, name, normal_form",
        len(creditors),
        [(pk, name, normal_forms.name(name)) for pk, name in creditors.items()],
    )
    kinds = ("email", "sms", "call_script")
    templates = [(new_id(old), f"notice_{n}", kinds[n % 3]) for n in range(50)]
    yield (
        "communication_templates",
        "id, name, language, communication_type, subject, body, is_active, created_at, updated_at",
        50,
        [(pk, name, "en", kind, "About {{original_creditor}}", BODY, True, old, old) for pk, name, kind in templates],
    )
    yield (
        "strategy_rule",
        "id, segment_id, template_id, name, channel, trigger, max_lateness_days, priority, is_active, created_at,"
        " updated_at",
        len(segments),
        [
            (
                new_id(old),
                pk,
                templates[n % 50][0],
                f"rule {n}",
                kinds[n % 50 % 3],
                orjson.dumps({"type": "TimeTrigger", "days_since_placement": DAYS[n % 10]}).decode(),
                100_000,
                100,
                True,
                old,
                old,
            )
            for n, pk in enumerate(segments.values())
        ],
    )

    moments = sorted(ago(730) for _ in range(size["debtor"]))
    debtors = [(new_id(moment), random_.choice(COUNTRIES), moment) for moment in moments]

    def people() -> Iterator[Row]:
        phones = {country: _phones(country) for country in COUNTRIES}
        for n, (pk, country, moment) in enumerate(debtors):
            first, last = random_.choice(FIRST), random_.choice(LAST)
            company = f"{last} {country} Ltd" if chance() < 0.2 else None
            email, phone = f"debtor.{n}@example.com", next(phones[country])  # Both are in their normal form.
            yield (
                pk, email, email, first, last, phone, phone, company, f"{n % 300} High Street", "London", country, "en",
                moment, moment,
            )  # fmt: skip

    yield (
        "debtor",
        "id, email, normal_email, first_name, last_name, mobile_phone, normal_phone, legal_entity, address_line1, city,"
        " country_code, language_preference, created_at, updated_at",
        size["debtor"],
        people(),
    )

    pick = _uneven(random_, len(debtors), 0.9)
    debts: list[Row] = []
    for n in range(size["debt"]):
        owner, country, _ = debtors[n if n < len(debtors) * 0.6 else pick()]
        code = CURRENCY_OF.get(country, "EUR")
        places = 0 if code == "JPY" else 2
        original = round(Decimal(min(20 * 2.718281828 ** (chance() * 6.5), 12_000)), places)
        status = random_.choices(STATUSES, WEIGHTS)[0]
        current = Decimal(0) if status in ("paid", "settled") else round(original * Decimal(1 - chance() * 0.6), places)
        score, moment = Decimal(int(chance() * 1000)) / 1000, ago(720)
        band = min(bisect.bisect_right(BALANCES, current) - 1, len(BALANCES) - 2)
        segment = segments[code, min(int(score * 5), 4), band] if chance() < 0.9 else None
        due = moment.date() + timedelta(days=int(chance() * 90) - 20) if chance() < 0.8 else date(2035, 1, 1)
        creditor = random_.choice(creditor_ids)
        debts.append(
            (
                new_id(moment),
                owner,
                segment,
                creditor,
                code,
                original,
                current,
                status,
                moment.date(),
                due,
                score,
                moment,
                moment,
                *((status, moment) if status in ("payment_plan", "deferred", "disputed") else (None, None)),
            )
        )
    yield (
        "debt",
        "id, debtor_id, segment_id, creditor_id, currency_code, original_balance, current_balance, current_status,"
        " placement_date, due_date, p2p_score, created_at, updated_at, hand_status, hand_status_at",
        len(debts),
        debts,
    )

    pick = _uneven(random_, len(debts), 0.5)
    paid: dict[uuid.UUID, Decimal] = {}
    entries: list[Row] = []

    def payments() -> Iterator[Row]:
        for n in range(size["payment"]):
            debt, moment = debts[pick()], ago(700)
            amount = round(debt[5] * Decimal(chance()) / 5 + 1, 0 if debt[4] == "JPY" else 2)
            status = random_.choices(("completed", "pending", "failed"), (85, 10, 5))[0]
            pk, txn = new_id(moment), f"TXN-{n}"
            if status == "completed":
                paid[debt[0]] = paid.get(debt[0], Decimal(0)) + amount
                cause = {"type": "payment", "paymentId": str(pk), "amount": str(amount), "processorTxnId": txn}
                entries.append(
                    (debt[0], "payment", -amount, debt[4], moment.date(), moment, pk, orjson.dumps(cause).decode())
                )
            yield pk, debt[0], amount, debt[4], "card", status, txn, moment.date(), moment, moment

    yield (
        "payment",
        "id, debt_id, amount, currency_code, payment_method, status, processor_txn_id, payment_date, created_at, updated_at",
        size["payment"],
        payments(),
    )

    def ledger() -> Iterator[Row]:
        for debt in debts:
            pk, code, original, current, placed, moment = debt[0], debt[4], debt[5], debt[6], debt[8], debt[11]
            yield pk, "placement", original, code, placed, moment, None, '{"type": "placement"}'
            if rest := current - original + paid.get(pk, Decimal(0)):
                yield pk, "adjustment", rest, code, placed, moment, None, '{"type": "adjustment"}'
        yield from entries

    yield (
        "ledger_entry",
        "debt_id, kind, amount, currency_code, value_date, posted_at, payment_id, cause",
        2 * len(debts) + len(entries),
        ledger(),
    )

    def messages() -> Iterator[Row]:
        for n in range(size["communication_log"]):
            debt, moment = debts[pick()], ago(700)
            text = f"Dear customer, {debt[4]} {debt[6]} owed to {creditors[debt[3]]} is still open. Please pay within 7 days."
            yield (
                new_id(moment), debt[1], debt[0], templates[n % 50][0], kinds[n % 50 % 3], random_.choice(("sent", "delivered")),
                f"Notice {n % 50}", text, moment, moment, moment,
            )  # fmt: skip

    yield (
        "communication_log",
        "id, debtor_id, debt_id, template_id, communication_type, status, subject, body, created_at, updated_at, sent_at",
        size["communication_log"],
        messages(),
    )


def _phones(country: str) -> Iterator[str]:
    """Yield mobile numbers that are valid in a country, each once: 100,000, which is enough up to scale 14."""
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    for n in range(100_000):
        yield f"+{example.country_code}{str(example.national_number)[:-5]}{n:05d}"


def _uneven(random_: random.Random, count: int, steepness: float) -> Any:
    """Return a function that picks an index, a few of them far more often than the others."""
    sums = list(itertools.accumulate(1 / (n + 10) ** steepness for n in range(count)))
    order = list(range(count))
    random_.shuffle(order)
    return lambda: order[bisect.bisect(sums, random_.random() * sums[-1])]
