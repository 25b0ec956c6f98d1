"""Compare the ledger with balances, payments, reversals and receipts, and the statuses of debts with their records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from collection import statuses
from collection.models import Dispute
from payments import receipts_checks

_OPEN_DISPUTE = ", ".join(f"'{status}'" for status in Dispute.OPEN)
#: The checks, each with SQL that finds rows that differ, as (id, finding).
CHECKS: dict[str, str] = {
    "a balance is the sum of its entries": """
        SELECT d.id, format('balance %s, entries %s', d.current_balance, coalesce(sum(e.amount), 0))
        FROM debt d LEFT JOIN ledger_entry e ON e.debt_id = d.id AND e.currency_code = d.currency_code
        GROUP BY d.id HAVING d.current_balance <> coalesce(sum(e.amount), 0)
    """,
    "a component's balance is the sum of its entries": """
        SELECT d.id, format('%s, entries %s', balances, entries)
        FROM debt d LEFT JOIN (
            SELECT debt_id, currency_code, ARRAY[sum(principal), sum(interest), sum(costs), sum(fees)] AS entries
            FROM ledger_entry GROUP BY debt_id, currency_code
        ) e ON e.debt_id = d.id AND e.currency_code = d.currency_code
        CROSS JOIN LATERAL (
            SELECT ARRAY[d.balance_principal, d.balance_interest, d.balance_costs, d.balance_fees] AS balances
        ) AS cached
        WHERE balances <> coalesce(entries, '{0,0,0,0}')
    """,
    "a debt with interest, costs or fees is itemized": """
        SELECT d.id, 'has entries with components' FROM debt d
        WHERE NOT d.is_itemized AND EXISTS (
            SELECT FROM ledger_entry e
            WHERE e.debt_id = d.id AND e.currency_code = d.currency_code AND (e.interest, e.costs, e.fees) <> (0, 0, 0)
        )
    """,
    "entries in a currency that the debt is not in cancel out": """
        SELECT e.debt_id, format('%s %s left over', sum(e.amount), e.currency_code)
        FROM ledger_entry e LEFT JOIN debt d ON d.id = e.debt_id
        WHERE d.currency_code IS DISTINCT FROM e.currency_code
        GROUP BY e.debt_id, e.currency_code HAVING sum(e.amount) <> 0
    """,
    "the unreversed placement is the original balance": """
        SELECT d.id, format('original balance %s, placements %s', d.original_balance, coalesce(placed.amount, 0))
        FROM debt d LEFT JOIN (
            SELECT e.debt_id, sum(e.amount) AS amount
            FROM ledger_entry e LEFT JOIN ledger_entry r ON r.reverses_id = e.id
            WHERE e.kind = 'placement' AND r.id IS NULL
            GROUP BY e.debt_id
        ) placed ON placed.debt_id = d.id
        WHERE d.original_balance <> coalesce(placed.amount, 0)
    """,
    "a completed payment has posted its amount on its debt": """
        SELECT p.id, format('amount %s, of which %s went back, posted %s', p.amount, p.refunded_amount,
            -coalesce(sum(e.amount), 0))
        FROM payment p LEFT JOIN ledger_entry e ON e.payment_id = p.id AND e.debt_id = p.debt_id
        WHERE p.status = 'completed'
        GROUP BY p.id HAVING -coalesce(sum(e.amount), 0) <> p.amount - p.refunded_amount
    """,
    "a payment is refunded if and only if all of it went back": """
        SELECT p.id, format('%s, %s went back of %s', p.status, p.refunded_amount, p.amount) FROM payment p
        WHERE CASE p.status WHEN 'refunded' THEN p.refunded_amount <> p.amount
            WHEN 'completed' THEN p.refunded_amount = p.amount ELSE p.refunded_amount <> 0 END
    """,
    "a completed payment has the transaction that was posted": """
        SELECT p.id, format('transaction %s, posted %s', coalesce(p.processor_txn_id, 'none'),
            coalesce(e.cause ->> 'processorTxnId', 'none'))
        FROM payment p JOIN ledger_entry e ON e.payment_id = p.id AND e.kind = 'payment'
        LEFT JOIN ledger_entry r ON r.reverses_id = e.id
        WHERE p.status = 'completed' AND r.id IS NULL
            AND p.processor_txn_id IS DISTINCT FROM (e.cause ->> 'processorTxnId')
    """,
    "a payment that is not completed, or gone, or moved, has nothing posted": """
        SELECT e.payment_id, format('%s posted on debt %s', -sum(e.amount), e.debt_id)
        FROM ledger_entry e
        LEFT JOIN payment p ON p.id = e.payment_id AND p.debt_id = e.debt_id AND p.status = 'completed'
        WHERE e.payment_id IS NOT NULL AND p.id IS NULL
        GROUP BY e.payment_id, e.debt_id HAVING sum(e.amount) <> 0
    """,
    "a reversal mirrors its entry": """
        SELECT r.id, format('%s %s reverses %s %s', r.amount, r.currency_code, e.amount, e.currency_code)
        FROM ledger_entry r JOIN ledger_entry e ON e.id = r.reverses_id
        WHERE (r.amount, r.interest, r.costs, r.fees) <> (-e.amount, -e.interest, -e.costs, -e.fees)
            OR r.currency_code <> e.currency_code OR r.debt_id <> e.debt_id
            OR r.payment_id IS DISTINCT FROM e.payment_id OR e.kind = 'reversal' OR r.kind <> 'reversal'
    """,
    "what went back is not more than its payment": """
        SELECT p.id, format('%s went back of %s', sum(e.amount), -p.amount)
        FROM ledger_entry p JOIN ledger_entry e ON e.refers_to_id = p.id AND e.kind IN ('chargeback', 'refund')
        LEFT JOIN ledger_entry r ON r.reverses_id = e.id
        WHERE r.id IS NULL
        GROUP BY p.id HAVING sum(e.amount) > -p.amount
    """,
    "a reversal reverses something": """
        SELECT r.id, 'reverses nothing' FROM ledger_entry r WHERE r.kind = 'reversal' AND r.reverses_id IS NULL
    """,
    "an entry is reversed once": """
        SELECT r.reverses_id, format('reversed %s times', count(*))
        FROM ledger_entry r WHERE r.reverses_id IS NOT NULL GROUP BY r.reverses_id HAVING count(*) > 1
    """,
    "a debt is paid at 0 and only there": """
        SELECT d.id, format('%s at %s', d.current_status, d.current_balance) FROM debt d
        WHERE (d.current_status IN ('paid', 'settled', 'written_off') AND d.current_balance <> 0)
            OR (debt_is_open(d.current_status) AND d.current_balance = 0)
    """,
    "an open debt has the status that its records give it": f"""
        SELECT debt.id, format('%s, by its records %s', debt.current_status, {statuses.DERIVED}) FROM debt
        WHERE debt_is_open(debt.current_status) AND debt.current_status <> {statuses.DERIVED}
    """,  # noqa: S608 - Our own SQL.
    "the disputed amount is that of the open dispute": f"""
        SELECT d.id, format('disputed %s, by its dispute %s', d.disputed_amount,
            CASE WHEN s.id IS NULL THEN '0' ELSE coalesce(s.portion::text, 'all') END)
        FROM debt d LEFT JOIN dispute s ON s.debt_id = d.id AND s.status IN ({_OPEN_DISPUTE})
        WHERE CASE WHEN s.id IS NULL THEN d.disputed_amount <> 0
            WHEN s.portion IS NULL THEN d.disputed_amount < d.current_balance ELSE d.disputed_amount <> s.portion END
    """,  # noqa: S608
    "the open totals are the sums of the open debts": """
        SELECT concat_ws(' ', currency_code, due_date), format('%s debts and %s too many', sum(debts), sum(balance))
        FROM (
            SELECT currency_code, due_date, debts, balance FROM open_total
            UNION ALL
            SELECT currency_code, due_date, -1, -current_balance FROM debt
            WHERE debt_is_open(current_status)
        ) AS both_sides
        GROUP BY currency_code, due_date HAVING sum(debts) <> 0 OR sum(balance) <> 0
    """,
    **receipts_checks.CHECKS,
}


@dataclass(frozen=True)
class Difference:
    """A row that fails a check."""

    check: str
    row_id: str
    finding: str


def differences(*, progress: Callable[[str], None] = lambda check: None) -> Iterator[Difference]:
    """Check all debts, payments and entries, and yield every difference. ``progress`` is called after each check.

    All checks see one snapshot, so payments recorded at the same time are not reported as differences.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # The checks compare whole tables. With outdated statistics, as after an import, a nested loop would take hours.
        cursor.execute("SET LOCAL enable_nestloop = off")
        for check, sql in CHECKS.items():
            cursor.execute(sql)
            found = cursor.fetchall()
            progress(check)
            yield from (Difference(check, str(row_id), finding) for row_id, finding in found)
