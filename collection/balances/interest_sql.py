"""Interest in SQL: the same sum as ``collection.claims.interest``, which tests compare with it.

``interest_units`` takes the whole history of one debt, so one debt and a hundred thousand are computed by the same function.
PostgreSQL puts its body in the place of the call.
"""

from collection.claims.interest import PER_UNIT, YEAR, DayCount

#: A day's place in time, in units of which a year has ``YEAR``.
CLOCK = f"""
SELECT CASE day_count
    WHEN '{DayCount.ACT_365}' THEN (day - DATE '0001-01-01') * {YEAR // 365}::bigint
    WHEN '{DayCount.ACT_ACT}' THEN extract(year FROM day)::bigint * {YEAR} + (extract(doy FROM day)::bigint - 1) * CASE
        WHEN extract(day FROM make_date(extract(year FROM day)::int, 3, 1) - 1) = 29 THEN {YEAR // 366} ELSE {YEAR // 365} END
    ELSE extract(year FROM day)::bigint * {YEAR}
        + (30 * (extract(month FROM day)::bigint - 1) + least(extract(day FROM day)::bigint, 30) - 1) * {YEAR // 360}
    END
"""  # noqa: S608 - Our own SQL.

CLOCK_ARGUMENTS = "day date, day_count text"
UNITS_ARGUMENTS = (
    "step_days date[], amounts numeric[], rate_days date[], percents numeric[], stops datemultirange, day_count text, "
    "since date, until date"
)
UNITS = """
SELECT coalesce(sum(step.amount * rate.percent * (
    interest_clock(period.ends, day_count) - interest_clock(period.begins, day_count)
    - CASE WHEN stops IS NULL THEN 0 ELSE coalesce((
        SELECT sum(interest_clock(upper(stopped), day_count) - interest_clock(lower(stopped), day_count))
        FROM unnest(stops * datemultirange(daterange(period.begins, period.ends))) AS stopped
    ), 0) END
)), 0)
FROM unnest(step_days, amounts) WITH ORDINALITY AS step (begins, amount, number)
CROSS JOIN unnest(rate_days, percents) WITH ORDINALITY AS rate (begins, percent, number)
CROSS JOIN LATERAL (SELECT greatest(since, step.begins, rate.begins) AS begins,
    least(until, step_days[step.number + 1], rate_days[rate.number + 1]) AS ends) AS period
WHERE step.amount > 0 AND period.begins < period.ends
"""


def rounded(units: str, unit: str) -> str:
    """Return SQL that rounds a sum of units half up to a multiple of the currency's smallest amount, without a fraction lost."""
    return f"div(2 * ({units}) + {PER_UNIT} * {unit}, 2 * {PER_UNIT} * {unit}) * {unit}"
