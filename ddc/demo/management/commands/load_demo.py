"""``manage.py load_demo``: load the sample data."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now
from tqdm import tqdm

from collection.models import Debt
from communications.models import CommunicationLog
from ddc.common.errors import DomainError
from ddc.demo import loading, sign_in
from debtors.models import Debtor
from payments.models import Payment


@contextmanager
def _only_warnings() -> Iterator[None]:
    """Log nothing about a month of messages, which would hide everything else."""
    usual = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(wrapper_class=usual)


class Command(BaseCommand):
    help = "Load sample debtors, debts, payments and thirty days of strategy, once. Needs DEMO=1 and DEMO_PASSWORD."

    stealth_options = ("size",)  # For tests, which load less.

    def handle(self, *args: Any, size: loading.Size = loading.WHOLE, **options: Any) -> None:
        began = time.monotonic()
        try:
            with (
                _only_warnings(),
                tqdm(total=loading.steps(size), unit="step", disable=options["verbosity"] == 0 or None) as bar,
            ):

                def show(step: str) -> None:
                    bar.set_description(step, refresh=False)
                    bar.update()

                loaded = loading.load(now=now(), size=size, progress=show)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        if loaded:
            counts = (
                f"{Debtor.objects.count()} debtors, {Debt.objects.count()} debts, {Payment.objects.count()} payments"
            )
            sent = CommunicationLog.objects.exclude(sent_at=None).count()
            took = time.monotonic() - began
            self.stdout.write(f"Loaded in {took:.0f} s: {counts}, {sent} messages sent in {size.days} days.")
        else:
            self.stdout.write("The sample data is loaded already.")
        self.stdout.write("Phones for the debtor portal (the code is in /demo/outbox):")
        for phone, story in sign_in.phones(now=now()):
            self.stdout.write(f"  {phone:<16} {story}")
