"""The triggers that keep the change log and the exports as they were written, and the product's rights on it.

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
    Trigger(
        name="list_export_is_kept",
        table="list_export",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["The record of an export is never deleted."],
        why="It proves who took which data out of the system, when and why.",
    ),
    Trigger(
        name="finished_export_stays",
        table="list_export",
        event="BEFORE UPDATE",
        when="OLD.finished_at IS NOT NULL",
        function="refuse_change",
        arguments=["The record of a finished export never changes."],
        why="It proves who took which data out of the system, when and why.",
    ),
]

RIGHTS = [
    Right(table="audit_event", granted=["SELECT"], why="Only triggers write it, with the rights of its owner."),
]
