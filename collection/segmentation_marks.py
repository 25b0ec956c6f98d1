"""How far the assignment of segments has come, so that the next one looks only at debts that were written since.

PostgreSQL keeps with each row which transaction wrote it. A debt whose row no transaction has written since the last assignment
still fits where it fitted then, as long as segments are what they were. So nobody who writes debts has to tell us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

# What an assignment's outcome hangs on beside the debts: the segments, the day where one has bounds in days, the rule itself, and
# the cluster, whose own count of transactions is meant.
_NOW = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text, md5(concat_ws(' ',
        (SELECT system_identifier FROM pg_control_system()), md5(%(rule)s::text),
        (SELECT string_agg(segment::text, ' ' ORDER BY id) FROM segment WHERE is_active),
        (SELECT max(%(today)s::date) FROM segment
            WHERE is_active AND num_nonnulls(min_days_since_placement, max_days_since_placement) > 0)
    ))
"""
# Transactions are told apart by 32 bits, so a mark is good for less than half of those.
_MARK = """
    SELECT seen_before, moved_by FROM segmentation_mark
    WHERE basis = %(basis)s AND %(horizon)s::bigint - seen_before::bigint < 1000000000
"""
_SET = """
    INSERT INTO segmentation_mark (id, basis, seen_before, moved_by) VALUES (1, %(basis)s, %(horizon)s, %(moved_by)s)
    ON CONFLICT (id) DO UPDATE SET basis = excluded.basis, seen_before = excluded.seen_before, moved_by = excluded.moved_by
"""

#: Of a row called ``debt``: it may have been written since ``seen_before``, and not by the last assignment itself.
WRITTEN_SINCE = """(
    age(debt.xmin) <= age(%(seen_before)s::xid8::xid) AND debt.xmin <> ALL (string_to_array(%(moved_by)s, ' ')::xid[])
)"""


@dataclass(frozen=True)
class Mark:
    """``seen_before``: all transactions before this one had ended when we looked. ``moved_by`` moved what was misplaced: numbers
    of transactions, with blanks between them.
    """

    seen_before: str
    moved_by: str = ""


class Assignment:
    """An assignment that begins now. Make it before the statement that looks at the debts."""

    def __init__(self, *, rule: str, today: date) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_NOW, {"rule": rule, "today": today})
            self._horizon, self._basis = cursor.fetchone()

    def last(self) -> Mark | None:
        """Return the mark of the last one, if what it rested on is the same."""
        with connection.cursor() as cursor:
            cursor.execute(_MARK, {"basis": self._basis, "horizon": self._horizon})
            found = cursor.fetchone()
        return Mark(*found) if found else None

    def finish(self, *, moved_by: Sequence[str]) -> None:
        """Leave the mark for the next one."""
        with connection.cursor() as cursor:
            cursor.execute(_SET, {"basis": self._basis, "horizon": self._horizon, "moved_by": " ".join(moved_by)})
