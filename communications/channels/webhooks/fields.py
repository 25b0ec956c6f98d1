"""What providers write into their fields, made fit to keep."""

import contextlib
import uuid

#: The longest id of an event that the inbox keeps.
EVENT_ID_LENGTH = 255


def storable(text: object) -> str | None:
    """Leave out what PostgreSQL can't keep."""
    return None if text is None else str(text).replace("\x00", "").encode("utf-8", "replace").decode()


def log_id(text: object) -> uuid.UUID | None:
    """Read the id of the message that we gave along; None if it is none of ours."""
    with contextlib.suppress(ValueError):
        return uuid.UUID(str(text))
    return None
