"""Circuit breakers: while a provider is down nothing is claimed for it; after a pause one message tries whether it works again.

The state is one row per provider in PostgreSQL, so all workers share it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from communications.models import Circuit

#: A provider is down after so many failures of its own (not of a message) in a row.
FAILURES = 5
#: The first pause, and the longest; each failed trial doubles the pause.
FIRST_PAUSE, MAX_PAUSE = timedelta(seconds=5), timedelta(minutes=2)
#: How long one trial may take: longer than a hand-over, and not much longer, in case its worker dies.
TRIAL = timedelta(seconds=20)
_ERROR_LENGTH = 500

# One statement, so that failures in several workers at once all count.
_COUNT_FAILURE = """
INSERT INTO provider_circuit AS circuit (provider, failures, openings, last_error)
VALUES (%(provider)s, 1, 0, %(last_error)s)
ON CONFLICT (provider) DO UPDATE SET failures = circuit.failures + 1, last_error = EXCLUDED.last_error
RETURNING failures, openings
"""
# Of several workers that see the last failure at once, the condition lets one open the circuit: each opening doubles the pause.
_OPEN = """
UPDATE provider_circuit SET open_until = %(until)s, opened_at = coalesce(opened_at, %(now)s), openings = openings + 1
WHERE provider = %(provider)s AND openings = %(openings)s
"""

Known = Mapping[str, Circuit]


def known() -> Known:
    """Return the circuits by provider; a provider without one has never failed."""
    return {circuit.provider: circuit for circuit in Circuit.objects.all()}


def is_open(provider: str, circuits: Known, *, now: datetime) -> bool:
    """Return whether the provider is down and its pause not over."""
    circuit = circuits.get(provider)
    return bool(circuit and circuit.open_until and circuit.open_until > now)


def is_due_for_trial(provider: str, circuits: Known, *, now: datetime) -> bool:
    """Return whether the pause is over and one message is to try whether the provider works again."""
    circuit = circuits.get(provider)
    return bool(circuit and circuit.open_until and circuit.open_until <= now)


def take_trial(circuit: Circuit, *, now: datetime) -> bool:
    """Take the trial; False if another worker has it."""
    unchanged = Circuit.objects.filter(pk=circuit.pk, open_until=circuit.open_until)
    return bool(unchanged.update(open_until=now + TRIAL))


def record_failure(provider: str, error: str | None, *, now: datetime) -> bool:
    """Count a failure of the provider; return whether it is down now."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_FAILURE, {"provider": provider, "last_error": (error or "")[:_ERROR_LENGTH] or None})
        failures, openings = cursor.fetchone()
        if not openings and failures < FAILURES:
            return False
        pause = min(FIRST_PAUSE * 2 ** min(openings, 10), MAX_PAUSE)
        cursor.execute(_OPEN, {"provider": provider, "openings": openings, "until": now + pause, "now": now})
    return True


def record_success(provider: str) -> None:
    """Close the circuit of a provider that has answered."""
    Circuit.objects.filter(pk=provider, failures__gt=0).update(
        failures=0, open_until=None, opened_at=None, openings=0, last_error=None
    )
