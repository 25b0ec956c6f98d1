"""Database triggers of receipts, credits and refunds."""

from ddc.common.postgresql.triggers import Trigger

#: A refund without its decision.
_PROPOSED = "to_jsonb({row}.*) - 'decision' - 'decided_by_id' - 'decided_at' - 'decision_note' - 'updated_at'"

#: A bank account without its decision and its end.
_ACCOUNT = "to_jsonb({row}.*) - 'decision' - 'decided_by_id' - 'decided_at' - 'replaced_at' - 'updated_at'"


def _kept(table: str, message: str, why: str, *, locked: bool = False) -> list[Trigger]:
    """Return the triggers that keep the rows of a table as they are.

    A table with rows that are locked has a condition, because the right to update a table is also the right to lock its rows.
    """
    if not locked:
        return [
            Trigger(
                name=f"{table}_is_append_only",
                table=table,
                event="BEFORE DELETE OR UPDATE",
                function="refuse_change",
                arguments=[message],
                why=why,
            )
        ]
    return [
        Trigger(
            name=f"{table}_is_kept",
            table=table,
            event="BEFORE DELETE",
            function="refuse_change",
            arguments=[message],
            why=why,
        ),
        Trigger(
            name=f"{table}_never_changes",
            table=table,
            event="BEFORE UPDATE",
            when="OLD.* IS DISTINCT FROM NEW.*",
            function="refuse_change",
            arguments=[message],
            why=why,
        ),
    ]


TRIGGERS = [
    *_kept(
        "receipt",
        "Receipts are never changed or deleted. Undo what it was booked to.",
        "What came in stays as the bank or provider reported it.",
        locked=True,
    ),
    *_kept(
        "receipt_allocation",
        "Allocations of receipts are never changed or deleted. Undo one by a reversal.",
        "What a receipt was booked to, by whom and when, stays, whatever program tries to change it.",
    ),
    *_kept(
        "credit",
        "A credit is never changed or deleted. Its entries change what it has.",
        "A credit belongs to the same person, creditor and currency for good.",
        locked=True,
    ),
    *_kept(
        "credit_entry",
        "Entries of a credit are never changed or deleted. Undo one by a reversal.",
        "A posted entry stays as it is, whatever program tries to change it.",
    ),
    Trigger(
        name="refund_is_kept",
        table="refund",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["Refunds are never deleted. Reject the refund instead."],
        why="A refund shows who proposed and who approved that money goes back.",
    ),
    Trigger(
        name="refund_keeps_its_proposal_and_decision",
        table="refund",
        event="BEFORE UPDATE",
        when=f"{_PROPOSED.format(row='OLD')} IS DISTINCT FROM {_PROPOSED.format(row='NEW')} OR OLD.decision IS NOT NULL",
        function="refuse_change",
        arguments=["A refund is only decided, once. Propose another one instead."],
        why="What the second person approved is what the first one proposed.",
    ),
    Trigger(
        name="bank_account_is_kept",
        table="bank_account",
        event="BEFORE DELETE",
        function="refuse_change",
        arguments=["Bank accounts are never deleted. Propose another one instead."],
        why="The history shows to which account debtors were asked to pay, and who approved it.",
    ),
    Trigger(
        name="bank_account_is_only_decided_and_replaced",
        table="bank_account",
        event="BEFORE UPDATE",
        when=f"{_ACCOUNT.format(row='OLD')} IS DISTINCT FROM {_ACCOUNT.format(row='NEW')}"
        " OR OLD.decision IS NOT NULL AND OLD.decision IS DISTINCT FROM NEW.decision OR OLD.replaced_at IS NOT NULL",
        function="refuse_change",
        arguments=["A bank account never changes. Propose another one instead."],
        why="Money goes to the account that a second person approved, and to no other.",
    ),
]
