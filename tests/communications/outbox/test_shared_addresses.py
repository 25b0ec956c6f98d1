"""Nothing about a debtor's debts goes to an address that is another person's."""

import pytest

from collection.models import Debt, ParkedPlacement
from collection.placements import decisions
from communications.models import CommunicationLog
from debtors import contact_points
from debtors.models import ContactPoint, Debtor
from tests import factories
from tests.collection.placements.files import ROW, load, text
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db
BY_MAIL = ROW | {"countryCode": "GB", "placementDate": "2025-12-01"}
GUS = BY_MAIL | {"firstName": "Gus", "lastName": "Hale", "externalReference": "A-2", "mobilePhone": "+447400200002"}


@pytest.fixture
def debts_of_two() -> tuple[Debt, Debt]:
    """Ann has an address that was given for Gus too."""
    load(text(BY_MAIL))
    load(text(GUS))
    decisions.another_person(ParkedPlacement.objects.get(), by=factories.agent("Agent"), now=NOON)
    return Debt.objects.get(external_reference="A-1"), Debt.objects.get(external_reference="A-2")


def reason(log: CommunicationLog) -> str:
    log.refresh_from_db()
    assert log.status == "blocked"
    return log.failure_reason or ""


def test_mail_about_the_other_persons_debt_is_blocked_with_the_reason(smtp, debts_of_two):
    _, of_gus = debts_of_two
    log = queue(debt=of_gus)
    drain()
    assert reason(log).startswith("shared_address: The address belongs to another person")
    assert not smtp.mails


def test_the_owner_gets_mail_about_the_own_debt(smtp, debts_of_two):
    of_ann, _ = debts_of_two
    queue(debt=of_ann)
    assert drain().statuses == {"sent": 1}
    assert smtp.mails[0]["To"] == "ann@example.com"


def test_the_other_person_is_reached_by_the_own_phone(twilio, debts_of_two):
    _, of_gus = debts_of_two
    queue(debt=of_gus, channel="sms")
    assert drain().statuses == {"sent": 1}


def test_an_address_that_the_other_person_gets_later_stays_blocked(smtp, debts_of_two):
    of_ann, of_gus = debts_of_two
    Debtor.objects.filter(pk=of_ann.debtor_id).update(email="new@example.com")
    Debtor.objects.filter(pk=of_gus.debtor_id).update(email="Ann@example.com")
    log = queue(debt=Debt.objects.get(pk=of_gus.pk))
    drain()
    assert reason(log).startswith("shared_address")
    point = ContactPoint.objects.get(debtor=of_gus.debtor, value="ann@example.com")
    contact_points.reactivate(point, source="It is his now.", now=NOON)
    queue(debt=Debt.objects.get(pk=of_gus.pk))
    assert drain().statuses == {"sent": 1}


def test_an_address_shared_after_the_decision_is_not_used(smtp, debts_of_two, monkeypatch):
    """The mark is set between the gate's decision and the hand-over."""
    of_ann, _ = debts_of_two
    log = queue(debt=of_ann)
    from communications.outbox import may_go

    decide = may_go.decide_claimed

    def decide_then_share(*args, **options):
        decided = decide(*args, **options)
        ContactPoint.objects.filter(debtor=of_ann.debtor).update(is_another_persons=True, shared_at=NOON)
        return decided

    monkeypatch.setattr(may_go, "decide_claimed", decide_then_share)
    drain()
    log.refresh_from_db()
    assert log.status != "sent"
    assert not smtp.mails
