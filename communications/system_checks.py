"""The check of the evidence."""

from collections.abc import Callable, Iterator

from audit import checks
from communications.sending import evidence


@checks.register("messages", title="Messages", about="The seal of every message that was handed over.")
def messages(progress: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Yield each message with a seal that does not fit; see ``manage.py verify_messages``."""
    total, checked = evidence.sealed().count(), 0

    def show(batch: int) -> None:
        nonlocal checked
        checked += batch
        progress(f"{checked:,} of {total:,} messages")

    for message_id, problem in evidence.differences(progress=show):
        yield str(message_id), problem
