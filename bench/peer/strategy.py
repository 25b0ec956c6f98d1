"""Run the strategy for one day, and print the number of messages and the seconds for the side-by-side harness."""

import json
import os
import sys
import time
from datetime import date

import django
from django.utils import timezone


def main(day: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")
    django.setup()
    from strategy import runs

    began = time.perf_counter()
    run = runs.run_now(day=date.fromisoformat(day), dry_run=False, by=None, clock=timezone.now)
    seconds = time.perf_counter() - began
    print(json.dumps({"written": sum(line["queued"] for line in run.rules), "seconds": seconds}))


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    main(sys.argv[1])
