"""The check of the ledger."""

from collections.abc import Callable, Iterator

from audit import checks
from payments import reconciliation


@checks.register("ledger", title="Ledger", about="Every balance, payment and reversal against the ledger.")
def ledger(progress: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Yield each difference; see ``manage.py check_ledger``."""
    for difference in reconciliation.differences(progress=progress):
        yield str(difference.row_id), f"{difference.check}: {difference.finding}"
