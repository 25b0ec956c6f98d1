"""Database triggers of arrangements."""

from ddc.common.postgresql.recorded import recorded
from ddc.common.postgresql.triggers import Trigger

TRIGGERS = [
    Trigger(
        name="arrangement_event_is_append_only",
        table="arrangement_event",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["The history of an arrangement is never changed or deleted."],
        why="The history of an arrangement proves what was agreed, by whom, and what came of it.",
    ),
    *recorded("arrangement", person="debtor_id"),
]
