"""The back office tells whether somebody may be contacted now, and why a message went or didn't."""

from datetime import timedelta

import pytest
import time_machine

from collection.models import Debt, Hold
from communications import contact_decisions, contact_policies
from communications.models import CommunicationLog, ContactDecision, ContactPolicy
from debtors.models import ContactPoint, Debtor
from tests import factories
from tests.admin.conftest import address
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


def text_of(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def early_text():
    """A text to New Jersey, sent at 8:02 there."""
    debtor = factories.debtor(country_code="US", region_state="NJ", mobile_phone="+12015550123")
    ContactPoint.objects.filter(value=debtor.mobile_phone).update(consented_at=NOON - timedelta(days=3))
    template = factories.template(communication_type="sms", subject=None)
    at = NOON.replace(hour=13, minute=2)
    log = queue(debt=factories.debt(debtor=debtor), channel="sms", template=template, now=at)
    drain(at)
    return log


class TestPanel:
    def test_a_debtors_page_tells_by_channel_whether_they_may_be_contacted_and_when(self, auditor_at_desk):
        debtor = factories.debtor(country_code="US", region_state="CA", mobile_phone="+12135550123")
        with time_machine.travel(NOON):
            page = text_of(auditor_at_desk.get(address(Debtor, "change", debtor.pk)))

        assert "May we contact them now?" in page
        assert "It is 04:00 in America/Los_Angeles; allowed is 08:00 to 21:00." in page
        assert "12 CFR 1006.6(b)(1)(i), US-REGF/hours@1" in page
        assert "2026-01-14 16:00 UTC: Wednesday 08:00 in America/Los_Angeles" in page
        assert f"contactdecision/?debtor_id__exact={debtor.pk}" in page

    def test_a_debts_page_tells_of_that_debt(self, auditor_at_desk):
        debt = factories.debt()
        Hold.objects.create(debt=debt, reason="complaint", starts_on=NOON.date())
        with time_machine.travel(NOON):
            page = text_of(auditor_at_desk.get(address(Debt, "change", debt.pk)))

        assert "The debt is on hold (complaint)." in page
        assert "not before something changes" in page


class TestWhy:
    def test_a_messages_page_tells_why_it_went_at_8_02(self, auditor_at_desk, early_text):
        page = text_of(auditor_at_desk.get(address(CommunicationLog, "change", early_text.pk)))
        decision = ContactDecision.objects.get(log_id=early_text.pk)

        assert "Wednesday 08:02 in America/New_York" in page
        assert "Nothing spoke against it." in page
        assert "08:00 to 21:00 <small>12 CFR 1006.6(b)(1)(i), US-REGF/hours@1</small>" in page
        assert address(ContactDecision, "change", decision.pk) in page

    def test_a_decisions_page_tells_what_was_asked_and_known_and_decides_again(self, auditor_at_desk, early_text):
        decision = ContactDecision.objects.get(log_id=early_text.pk)
        page = text_of(auditor_at_desk.get(address(ContactDecision, "change", decision.pk)))
        consent = ContactPolicy.objects.get(jurisdiction="US-REGF", code="text-consent")

        assert address(ContactPolicy, "change", consent.pk) in page
        assert "their consent, not older than 60 days <small>12 CFR 1006.6(d)(5)" in page
        assert "They had agreed on 2026-01-11" in page
        assert "From these facts and policies the same comes out." in page
        for there in (early_text, early_text.debtor, early_text.debt):
            assert address(type(there), "change", there.pk) in page

    def test_what_was_refused_names_all_reasons(self, auditor_at_desk):
        log = queue()
        Hold.objects.create(debtor=log.debtor, reason="moratorium", starts_on=NOON.date())
        factories.stop(log.debtor.email)
        drain()
        page = text_of(auditor_at_desk.get(address(CommunicationLog, "change", log.pk)))

        assert "The person is on hold (moratorium)." in page
        assert "SI 2020/1311 (UK), reg. 7" in page


def test_a_decision_is_made_again_by_the_versions_of_then(supervisor, settings):
    at = NOON.replace(hour=9)
    log = queue(debt=factories.debt(debtor=factories.debtor(country_code="NP", mobile_phone=None)), now=at)
    drain(at)
    (kept,) = ContactDecision.objects.filter(log_id=log.pk)
    hours = ContactPolicy.objects.get(jurisdiction="DEFAULT", code="hours")
    contact_policies.amend(hours, by=supervisor, today=NOON.date(), weekdays=[1])
    settings.CONTACT_WINDOW = (NOON.time(), NOON.replace(hour=13).time())

    assert kept.verdict == "allow"
    assert contact_decisions.made_again(kept).verdict == "allow"
    assert contact_decisions.made_again(kept).policies == tuple(kept.policies)
