"""Database triggers of notes, follow-ups, and what debtors ask for and hand in."""

from ddc.common.postgresql.recorded import recorded
from ddc.common.postgresql.triggers import Trigger

#: A note without what may change.
_FIXED = "to_jsonb({row}.*) - 'pinned' - 'struck_at' - 'struck_by_id' - 'updated_at'"

TRIGGERS = [
    Trigger(
        name="note_is_kept",
        table="note",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["Notes are never deleted. Strike the note out instead."],
        why="A note shows what agents knew about a person, and when.",
    ),
    Trigger(
        name="note_keeps_its_text",
        table="note",
        event="BEFORE UPDATE",
        when=f"{_FIXED.format(row='OLD')} IS DISTINCT FROM {_FIXED.format(row='NEW')} OR OLD.struck_at IS NOT NULL",
        function="refuse_change",
        arguments=["A note is only pinned or struck out. Write another note instead."],
        why="A note stays as its author wrote it, and a struck-out one stays struck out.",
    ),
    Trigger(
        name="follow_up_is_kept",
        table="follow_up",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["Follow-ups are never deleted. Drop the follow-up instead."],
        why="A follow-up shows what was planned for a person, and who closed it.",
    ),
    Trigger(
        name="closed_follow_up_stays",
        table="follow_up",
        event="BEFORE UPDATE",
        when="OLD.outcome IS NOT NULL",
        function="refuse_change",
        arguments=["A closed follow-up never changes. Set another one instead."],
        why="Who closed a follow-up, when and how, stays as it was.",
    ),
    Trigger(
        name="identity_check_is_kept",
        table="identity_check",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["Identity checks are never changed or deleted. Check again instead."],
        why="An identity check shows what a caller knew before data of a person were told.",
    ),
    Trigger(
        name="document_is_kept",
        table="document",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["Documents are never changed or deleted. Hand in another one instead."],
        why="A document is evidence, and stays as the debtor handed it in.",
    ),
    Trigger(
        name="support_request_is_kept",
        table="support_request",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["What debtors ask for is never deleted. Answer it instead."],
        why="A complaint or a hardship shows what the agency knew, and when.",
    ),
    Trigger(
        name="answered_support_request_stays",
        table="support_request",
        event="BEFORE UPDATE",
        when="OLD.status = 'answered'",
        function="refuse_change",
        arguments=["An answered request never changes. The debtor can send another one."],
        why="The answer stays as the debtor read it.",
    ),
    *recorded("support_request", person="debtor_id"),
    *recorded("document", person="debtor_id", hidden=("digest", "content")),
    *recorded("note", person="debtor_id"),
    *recorded("follow_up", person="debtor_id"),
    *recorded("identity_check", person="debtor_id"),
]
