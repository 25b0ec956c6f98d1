"""Phone numbers of the demo with which a visitor can sign in to the portal, each with another story."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from collection.models import OPEN, DeferralRequest, Dispute, Hold
from communications.providers.demo import UNCERTAIN
from ddc.common.days import agency_today
from ddc.demo.people import NO_COUNTRY
from debtors.models import ContactPoint, Debtor

_REQUESTS = DeferralRequest.objects.filter(debtor=OuterRef("pk"))


def phones(*, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield a phone for each story, with what its owner finds in the portal."""
    granted = Exists(_REQUESTS.filter(status=DeferralRequest.Status.APPROVED, granted_until__gt=agency_today(now)))
    pending = Exists(_REQUESTS.filter(status=DeferralRequest.Status.PENDING))
    disputed = Exists(Dispute.objects.filter(debt__debtor=OuterRef("pk"), status__in=Dispute.OPEN))
    stories = (
        ("GB", granted & Q(open_debts__gt=1), "was granted more time for one of several debts"),
        ("US", pending, "has asked for more time and waits for the answer"),
        ("IE", disputed & ~pending & ~granted, "disputes a debt"),
    )
    taken: set[str] = set()
    for country, story, text in stories:
        people = _reachable().filter(story).exclude(mobile_phone__in=taken).order_by("email")
        found = people.filter(country_code=country).first() or people.first()
        if found and found.mobile_phone:
            taken.add(found.mobile_phone)
            yield found.mobile_phone, f"{found} {text}{_answer(found)}"


def _answer(debtor: Debtor) -> str:
    """Return what answers the second question of the sign-in."""
    if debtor.dob:
        return f"; born {debtor.dob:%d %m %Y}"
    return f"; postcode {debtor.postal_code}" if debtor.postal_code else ""


def _reachable() -> QuerySet[Debtor]:
    """Return debtors who get text messages: no STOP, no hold on the person, and a number that works."""
    suppressed = ContactPoint.objects.filter(value=OuterRef("normal_phone"), messages_suppressed=True)
    on_hold = Hold.objects.filter(debtor=OuterRef("pk"), ended_at=None)
    lost = Q(mobile_phone__startswith=NO_COUNTRY)
    for digits in UNCERTAIN:
        lost |= Q(mobile_phone__endswith=digits)
    reachable = Debtor.objects.filter(~lost, ~Exists(suppressed), ~Exists(on_hold), mobile_phone__isnull=False)
    return reachable.annotate(open_debts=Count("debts", filter=Q(debts__current_status__in=OPEN)))
