"""Every reason to leave a debt alone for a time."""

from datetime import date

from django.utils import timezone

from collection.models import Debt, Hold


def lift(debt: Debt, *, reason: Hold.Reason, today: date) -> None:
    """End a locked debt's holds of one reason today; holds for other reasons go on."""
    running = Hold.objects.in_force(today).filter(debt=debt, reason=reason)
    running.update(ends_on=today, lifted_at=timezone.now(), updated_at=timezone.now())
