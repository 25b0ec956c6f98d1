"""What stops the stack and is for a person to put right."""


class StackError(Exception):
    """The stack cannot go on; the message says why and what to do."""
