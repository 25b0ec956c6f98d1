"""manage.py verify_messages"""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from communications.sending import evidence

SHOWN = 50


class Command(BaseCommand):
    help = "Verify the seal of every message that was handed over; exits 1 if one does not fit."

    def handle(self, *args: Any, **options: Any) -> None:
        total, found = evidence.sealed().count(), []
        with tqdm(total=total, unit="message", file=sys.stderr, disable=None) as bar:
            for difference in evidence.differences(progress=bar.update):
                found.append(difference)
                bar.set_postfix_str(f"{len(found)} differ")
        for message_id, problem in found[:SHOWN]:
            self.stderr.write(f"{message_id}: {problem}")
        if found:
            self.stderr.write(self.style.ERROR(f"The seals of {len(found)} of {total} messages do not fit."))
            sys.exit(1)
        self.stdout.write(f"The seals of all {total} messages fit.")
