"""A provider that is down: nothing is claimed for it for a while, then one message tries whether it is back.

The state is one row per provider in PostgreSQL, so all workers share it, and it survives the broker.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from communications.models import Circuit

#: So many failures of the provider itself (not of a message) in a row mean that it is down.
FAILURES = 5
#: How long nothing goes then; twice as long after each try that fails, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=2)
#: How long the one that tries has the word: longer than a hand-over takes, and no longer than need be if its worker is killed.
TRIAL = timedelta(seconds=20)
_WORDS_LENGTH = 500

# One statement, so that failures which many workers see at once all count.
_FAILED = """
INSERT INTO provider_circuit AS circuit (provider, failures, openings, words) VALUES (%(provider)s, 1, 0, %(words)s)
ON CONFLICT (provider) DO UPDATE SET failures = circuit.failures + 1, words = EXCLUDED.words
RETURNING failures, openings
"""
# Its condition lets but one of those that see the last failure open it: each opening doubles the pause.
_OPEN = """
UPDATE provider_circuit SET open_until = %(until)s, opened_at = coalesce(opened_at, %(now)s), openings = openings + 1
WHERE provider = %(provider)s AND openings = %(openings)s
"""

Known = Mapping[str, Circuit]


def known() -> Known:
    """Return what is known of providers; of one that isn't in it nothing bad is."""
    return {circuit.provider: circuit for circuit in Circuit.objects.all()}


def is_open(provider: str, circuits: Known, *, now: datetime) -> bool:
    """Tell whether nothing may go to a provider now."""
    circuit = circuits.get(provider)
    return bool(circuit and circuit.open_until and circuit.open_until > now)


def is_on_trial(provider: str, circuits: Known, *, now: datetime) -> bool:
    """Tell whether the pause is over, and a single message shall try."""
    circuit = circuits.get(provider)
    return bool(circuit and circuit.open_until and circuit.open_until <= now)


def take_trial(circuit: Circuit, *, now: datetime) -> bool:
    """Be the one who tries; False if another is."""
    seen = Circuit.objects.filter(pk=circuit.pk, open_until=circuit.open_until)
    return bool(seen.update(open_until=now + TRIAL))


def failed(provider: str, words: str | None, *, now: datetime) -> bool:
    """Count a failure of the provider itself; True if it is taken for down now."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, {"provider": provider, "words": (words or "")[:_WORDS_LENGTH] or None})
        failures, openings = cursor.fetchone()
        if not openings and failures < FAILURES:
            return False
        pause = min(FIRST_PAUSE * 2 ** min(openings, 10), LONGEST_PAUSE)
        cursor.execute(_OPEN, {"provider": provider, "openings": openings, "until": now + pause, "now": now})
    return True


def worked(provider: str) -> None:
    """Forget a provider's failures: it has answered."""
    Circuit.objects.filter(pk=provider, failures__gt=0).update(
        failures=0, open_until=None, opened_at=None, openings=0, words=None
    )
