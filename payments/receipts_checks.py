# ruff: noqa: S608 -- the statements are composed of constants
"""Checks of receipts, credits and refunds against each other and against payments, for ``payments.reconciliation``."""

_BOOKED = "SELECT receipt_id, sum(amount) AS amount FROM receipt_allocation GROUP BY receipt_id"
#: The money that receipts and credits gave each payment; it is in another currency if it was redenominated since.
_GIVEN = """
    SELECT payment_id, currency_code, sum(amount) AS amount FROM (
        SELECT a.payment_id, r.currency_code, a.amount FROM receipt_allocation a JOIN receipt r ON r.id = a.receipt_id
        WHERE a.payment_id IS NOT NULL
        UNION ALL
        SELECT e.payment_id, c.currency_code, -e.amount FROM credit_entry e JOIN credit c ON c.id = e.credit_id
        WHERE e.payment_id IS NOT NULL
    ) AS each_part GROUP BY payment_id, currency_code
"""
#: Each part of the receipts' money by currency: as it came in, and as payments, credits, refunds and suspense have it.
_PARTS = f"""
    SELECT currency_code, amount AS received, 0::numeric AS held FROM receipt
    UNION ALL
    SELECT g.currency_code, 0, CASE WHEN p.currency_code = g.currency_code THEN p.amount ELSE g.amount END
    FROM ({_GIVEN}) g JOIN payment p ON p.id = g.payment_id
    UNION ALL
    SELECT c.currency_code, 0, e.amount FROM credit_entry e JOIN credit c ON c.id = e.credit_id
    UNION ALL
    SELECT currency_code, 0, amount FROM refund WHERE decision IS DISTINCT FROM 'rejected' AND payment_id IS NULL
    UNION ALL
    SELECT r.currency_code, 0, r.amount - coalesce(b.amount, 0)
    FROM suspense s JOIN receipt r ON r.id = s.receipt_id LEFT JOIN ({_BOOKED}) b ON b.receipt_id = r.id
"""

#: As ``reconciliation.CHECKS``.
CHECKS: dict[str, str] = {
    "what is booked of a receipt is at most its amount": f"""
        SELECT r.id, format('%s booked of %s', b.amount, r.amount)
        FROM receipt r JOIN ({_BOOKED}) b ON b.receipt_id = r.id
        WHERE b.amount * sign(r.amount) NOT BETWEEN 0 AND abs(r.amount)
    """,
    "a receipt is in suspense while something of it is left": f"""
        SELECT r.id, format('%s left, %s', r.amount - coalesce(b.amount, 0), coalesce(s.reason, 'not in suspense'))
        FROM receipt r LEFT JOIN ({_BOOKED}) b ON b.receipt_id = r.id LEFT JOIN suspense s ON s.receipt_id = r.id
        WHERE (r.amount <> coalesce(b.amount, 0)) <> (s.receipt_id IS NOT NULL)
    """,
    "an undone allocation mirrors the one that it undoes": """
        SELECT u.id, format('%s undoes %s', u.amount, a.amount)
        FROM receipt_allocation u JOIN receipt_allocation a ON a.id = u.reverses_id
        WHERE u.amount <> -a.amount OR u.kind <> a.kind OR u.receipt_id <> a.receipt_id OR a.reverses_id IS NOT NULL
            OR (u.payment_id, u.credit_id, u.refund_id, u.counterpart_id)
                IS DISTINCT FROM (a.payment_id, a.credit_id, a.refund_id, a.counterpart_id)
    """,
    "a payment has what its receipts and credits gave": f"""
        SELECT g.payment_id, format('given %s %s, the payment has %s', g.amount, g.currency_code, coalesce(p.amount, 0))
        FROM ({_GIVEN}) g
        LEFT JOIN payment p ON p.id = g.payment_id AND p.status IN ('completed', 'refunded')
        WHERE g.amount <> CASE WHEN p.currency_code <> g.currency_code THEN g.amount ELSE coalesce(p.amount, 0) END
    """,
    "a credit is the sum of its entries and not negative": """
        SELECT c.id, format('%s %s', e.amount, c.currency_code)
        FROM credit c JOIN (SELECT credit_id, sum(amount) AS amount FROM credit_entry GROUP BY credit_id) e
            ON e.credit_id = c.id
        WHERE e.amount < 0
    """,
    "a credit has what receipts gave it": """
        SELECT coalesce(a.id, e.id), format('allocated %s, in the credit %s', a.amount, e.amount)
        FROM (SELECT * FROM receipt_allocation WHERE kind = 'credit' AND reverses_id IS NULL) a
        FULL JOIN (SELECT * FROM credit_entry WHERE kind = 'receipt') e ON e.allocation_id = a.id
        LEFT JOIN receipt_allocation u ON u.reverses_id = a.id LEFT JOIN credit_entry v ON v.reverses_id = e.id
        LEFT JOIN receipt r ON r.id = a.receipt_id LEFT JOIN credit c ON c.id = e.credit_id
        WHERE a.amount IS DISTINCT FROM e.amount OR a.credit_id IS DISTINCT FROM e.credit_id
            OR r.currency_code IS DISTINCT FROM c.currency_code OR (u.id IS NULL) <> (v.id IS NULL)
    """,
    "a reversal in a credit mirrors its entry": """
        SELECT v.id, format('%s reverses %s', v.amount, e.amount)
        FROM credit_entry v JOIN credit_entry e ON e.id = v.reverses_id
        WHERE v.amount <> -e.amount OR v.credit_id <> e.credit_id OR e.reverses_id IS NOT NULL
    """,
    "a refund has taken its amount, and a rejected one has put it back": """
        SELECT f.id, format('%s %s, taken %s', coalesce(f.decision, 'proposed'), f.amount, coalesce(t.amount, 0))
        FROM refund f LEFT JOIN (
            SELECT refund_id, sum(amount) AS amount FROM (
                SELECT refund_id, amount FROM receipt_allocation WHERE refund_id IS NOT NULL
                UNION ALL
                SELECT refund_id, -amount FROM credit_entry WHERE refund_id IS NOT NULL
            ) AS taken GROUP BY refund_id
        ) t ON t.refund_id = f.id
        WHERE coalesce(t.amount, 0) <> CASE WHEN f.decision = 'rejected' OR f.payment_id IS NOT NULL THEN 0 ELSE f.amount END
    """,
    "what came in is in payments, credits, refunds and suspense": f"""
        SELECT currency_code, format('received %s, held %s', sum(received), sum(held))
        FROM ({_PARTS}) AS parts
        GROUP BY currency_code HAVING sum(received) <> sum(held)
    """,
}
