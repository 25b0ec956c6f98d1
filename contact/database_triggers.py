"""Database triggers of contact policies and decisions."""

from ddc.common.postgresql.recorded import recorded
from ddc.common.postgresql.triggers import Trigger

TRIGGERS = [
    Trigger(
        name="contact_decision_is_append_only",
        table="contact_decision",
        event="BEFORE DELETE OR UPDATE",
        function="refuse_change",
        arguments=["Contact decisions are never changed or deleted."],
        why="A decision proves why a debtor was or was not contacted.",
    ),
    Trigger(
        name="contact_policy_is_kept",
        table="contact_policy",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["Contact policies are never deleted. End the policy instead."],
        why="Decisions refer to the policies by which they were made.",
    ),
    Trigger(
        name="contact_policy_only_ends",
        table="contact_policy",
        event="BEFORE UPDATE",
        when="to_jsonb(OLD.*) - 'valid_to' - 'updated_at' IS DISTINCT FROM to_jsonb(NEW.*) - 'valid_to' - 'updated_at'",
        function="refuse_change",
        arguments=["Of a contact policy only the end changes. Add a new version instead."],
        why="A policy that decisions refer to keeps its text and limits.",
    ),
    *recorded("contact_preference", person="debtor_id"),
]
