"""Every advisory lock of the product, and the functions that take them.

A lock's key is the hash of its subject, seeded by the lock's number: locks of different kinds share no keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from django.db import DatabaseError, connection


class AdvisoryLock(Enum):
    """The kinds of locks: number, subject and reason."""

    CONTACT = 1, "debtor", "Two workers must not both count a debtor's contacts and find room for one more."
    ADDRESS = 2, "address", "Of two STOPs for one address at once, one is the first."
    CONTACT_POLICIES = 3, "", "Two writers must not add a version of the same policy at once."
    IDEMPOTENCY_KEY = 4, "caller and key", "A request that is repeated while the first runs must not be carried out."
    RATE_LIMIT = 5, "kind and subject", "Two requests must not both count and find room for one more."
    PLACEMENTS = 6, "", "Two placement files at once could create one debtor twice."
    STRATEGY_RUN = 7, "", "Runs must not overlap; a row that is running while the lock is free is a dead run."
    WORKER_SLOT = 8, "queue, provider and slot", "At most OUTBOX_DRAINS workers send over one provider at once."
    DEMO_DATA = 9, "", "Two starts of the demo must not both load its data."
    STAFF = 10, "", "Two Supervisors must not dismiss each other at once: nobody would be left to manage staff."
    PLACEMENT_IMPORT = 11, "", "Two workers must not check or load one uploaded file at once."
    SYSTEM_CHECK = 12, "", "Two workers must not run one system check at once."
    RECEIPTS = 13, "", "Two files of receipts at once would lock debts in other orders, and report each other's rows."

    def __init__(self, number: int, subject: str, why: str) -> None:
        self.number, self.subject, self.why = number, subject, why


_KEY = "hashtextextended(%s, %s)"
# In the order of the keys, so that two transactions that need several never wait for each other in a circle.
_LOCK = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(subject, %s) AS key FROM unnest(%s::text[]) AS subject ORDER BY 1
    ) AS keys
"""


def lock(which: AdvisoryLock, *subjects: str) -> None:
    """Wait for the locks of these subjects, and hold them until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [which.number, list(subjects or [""])])


def try_lock(which: AdvisoryLock, subject: str = "") -> bool:
    """Take the lock until the transaction ends; return False if another session holds it."""
    return _ask("pg_try_advisory_xact_lock", which, subject)


@contextmanager
def session_lock(which: AdvisoryLock, subject: str = "") -> Iterator[bool]:
    """Hold the lock over several transactions; yield False if another session holds it.

    PostgreSQL frees it with the connection, however the process ends.
    """
    is_held = _ask("pg_try_advisory_lock", which, subject)
    try:
        yield is_held
    finally:
        if is_held:
            with suppress(DatabaseError):  # A lost connection has freed the lock.
                _ask("pg_advisory_unlock", which, subject)


def _ask(function: str, which: AdvisoryLock, subject: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({_KEY})", [subject, which.number])
        return bool(cursor.fetchone()[0])
