"""Database functions and triggers of staff accounts."""

from ddc.common.postgresql.recorded import recorded
from ddc.common.postgresql.triggers import Function, Trigger

FUNCTIONS = [
    Function(
        name="end_tokens_of_agent",
        why="Increase the token version of an account where a change ends its tokens; never decrease it.",
        # A writer that read the row before another one increased the version would bring the old one back.
        body="""
BEGIN
    NEW.token_version := greatest(NEW.token_version, OLD.token_version);
    IF (OLD.is_active AND NOT NEW.is_active)
        OR (OLD.is_staff AND NOT NEW.is_staff)
        OR (NEW.password <> OLD.password AND coalesce(current_setting('ddc.same_password', true), '') <> 'on')
    THEN
        NEW.token_version := OLD.token_version + 1;
    END IF;
    RETURN NEW;
END """,
    ),
]

TRIGGERS = [
    Trigger(
        name="tokens_end_with_password",
        table="USER",
        event="BEFORE UPDATE",
        function="end_tokens_of_agent",
        why="A new password, deactivation and the loss of staff status end all tokens, whatever program writes the account.",
    ),
    *recorded("role_limit", why="Who raised or lowered a limit, and when, stays known."),
]
