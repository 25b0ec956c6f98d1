"""The check of the database's own rules."""

from collections.abc import Callable, Iterator

from django.db import connection

from audit import checks
from ddc.common.postgresql import trigger_check


@checks.register(
    "triggers", title="Triggers and rights", about="The functions, triggers and rights that protect money and evidence."
)
def triggers(progress: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Yield what the database lacks or has in addition."""
    progress("comparing")
    for message in trigger_check.differences(connection):
        yield "", str(message.msg)
