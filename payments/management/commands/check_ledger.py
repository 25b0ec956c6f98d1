"""manage.py check_ledger"""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from collection.models import Debt, LedgerEntry
from payments import reconciliation

SHOWN = 50


class Command(BaseCommand):
    help = "Compare every balance, payment and reversal with the ledger. The exit code is 1 if anything differs."

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(total=len(reconciliation.CHECKS), unit="check", file=sys.stderr, disable=None) as bar:

            def show(check: str) -> None:
                bar.set_postfix_str(check)
                bar.update()

            found = list(reconciliation.differences(progress=show))
        for difference in found[:SHOWN]:
            self.stderr.write(f"{difference.check}: {difference.row_id}: {difference.finding}")
        if found:
            self.stderr.write(self.style.ERROR(f"{len(found)} differences."))
            sys.exit(1)
        self.stdout.write(f"{Debt.objects.count()} debts, {LedgerEntry.objects.count()} entries: no difference.")
