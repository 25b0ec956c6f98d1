"""The trigger that keeps the change log as it was written, and the product's rights on it.

The function that writes it, ``record_changes``, is in ``ddc/common/database_triggers.py``, because it must exist before the
triggers of the recorded tables. An app records a table by ``*recorded("table", …)`` in its list of triggers.
"""

from ddc.common.postgresql.triggers import Right, Trigger

TRIGGERS = [
    Trigger(
        name="audit_event_is_append_only",
        table="audit_event",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["The change log is never changed or deleted."],
        why="The change log proves who changed personal data, and what it was before.",
    ),
]

RIGHTS = [
    Right(table="audit_event", granted=["SELECT"], why="Only triggers write it, with the rights of its owner."),
]
