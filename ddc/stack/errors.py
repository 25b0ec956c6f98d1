"""The error that stops the stack."""


class StackError(Exception):
    """The stack cannot continue; the message names the problem and what to do."""
