"""Celery with a wrong clock: ``python -m tests.faults.jumped SECONDS CELERY-ARGUMENTS``."""

import sys
import time
from datetime import UTC, datetime, timedelta

import time_machine
from celery.__main__ import main

if __name__ == "__main__":
    shift = int(sys.argv.pop(1))
    sys.argv[0] = "celery"
    time_machine.travel(datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=shift), tick=True).start()
    main()
