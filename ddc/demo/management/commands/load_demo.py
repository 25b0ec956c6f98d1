"""``manage.py load_demo``: load the sample data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now
from tqdm import tqdm

from collection.models import Debt
from ddc.common.errors import DomainError
from ddc.demo import loading
from debtors.models import Debtor
from payments.models import Payment


class Command(BaseCommand):
    help = "Load sample debtors, debts, payments, messages and a strategy, once. Needs DEMO=1 and DEMO_PASSWORD."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tqdm(total=len(loading.STEPS), unit="step", disable=options["verbosity"] == 0 or None) as bar:

                def show(step: str) -> None:
                    bar.set_description(step, refresh=False)
                    bar.update(loading.STEPS.index(step) - bar.n)

                loaded = loading.load(now=now(), progress=show)
                bar.update(len(loading.STEPS) - bar.n)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        if not loaded:
            self.stdout.write("The sample data is loaded already.")
            return
        counts = f"{Debtor.objects.count()} debtors, {Debt.objects.count()} debts, {Payment.objects.count()} payments"
        self.stdout.write(f"Loaded the sample data: {counts}. Users: {', '.join(loading.USERS)}.")
