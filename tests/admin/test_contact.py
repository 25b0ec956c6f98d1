"""The back office's pages about contact: previews, decisions, policies and preferences."""

from datetime import time, timedelta

import pytest
import time_machine

from collection.models import Debt, Hold
from communications.models import CommunicationLog
from contact import decisions, policies
from contact.models import ContactDecision, ContactPolicy, ContactPreference
from debtors.models import Debtor
from tests import factories
from tests.admin.conftest import address, errors
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
    factories.consent(debtor, "sms", NOON - timedelta(days=3))
    template = factories.template(communication_type="sms", subject=None)
    at = NOON.replace(hour=13, minute=2)
    log = queue(debt=factories.debt(debtor=debtor), channel="sms", template=template, now=at)
    drain(at)
    return log


class TestPanel:
    def test_a_debtors_page_has_a_preview_by_channel(self, auditor_at_desk):
        debtor = factories.debtor(country_code="US", region_state="CA", mobile_phone="+12135550123")
        with time_machine.travel(NOON):
            page = text_of(auditor_at_desk.get(address(Debtor, "change", debtor.pk), panel="contact"))

        assert "May we contact now?" in page
        assert "It is 04:00 in America/Los_Angeles; allowed is 08:00 to 21:00." in page
        assert "12 CFR 1006.6(b)(1)(i), US-REGF/hours@1, confidence: primary" in page
        assert "Place: California, US" in page
        assert "No consent to this channel at this address" in page
        assert "14 Jan 2026, 16:00: Wednesday 08:00 in America/Los_Angeles" in page
        assert f"contactdecision/?debtor_id__exact={debtor.pk}" in page

    @pytest.mark.parametrize(
        ("where", "shown"),
        [
            ({"country_code": "DE", "region_state": "Bayern"}, "Bavaria, DE. Wednesday 13:00 in Europe/Berlin."),
            (
                {"country_code": "DE", "region_state": "Bajuwarien", "mobile_phone": None},
                "There is no region “Bajuwarien” in this country.",
            ),
            ({"country_code": None, "mobile_phone": None}, "Unknown. unknown."),
        ],
    )
    def test_a_debtors_page_tells_the_location_and_a_region_that_no_table_has(self, auditor_at_desk, where, shown):
        debtor = factories.debtor(**{"mobile_phone": "+491701234567"} | where)
        with time_machine.travel(NOON):
            assert shown in text_of(auditor_at_desk.get(address(Debtor, "change", debtor.pk), panel="edit"))

    def test_a_debts_page_has_a_preview_about_that_debt(self, auditor_at_desk):
        debt = factories.debt()
        Hold.objects.create(debt=debt, reason="complaint", starts_on=NOON.date())
        with time_machine.travel(NOON):
            page = text_of(auditor_at_desk.get(address(Debt, "change", debt.pk), panel="contact"))

        assert "The debt is on hold (complaint)." in page
        assert "not unless something changes" in page


class TestWhy:
    def test_a_messages_page_has_its_decision_with_the_local_time(self, auditor_at_desk, early_text):
        page = text_of(auditor_at_desk.get(address(CommunicationLog, "change", early_text.pk)))
        decision = ContactDecision.objects.get(message_id=early_text.pk)

        assert "Wednesday 08:02 in America/New_York" in page
        assert "Every demand was met:" in page
        assert "Mon-Sun 08:00-21:00 <small>12 CFR 1006.6(b)(1)(i), US-REGF/hours@1</small>" in page
        assert address(ContactDecision, "change", decision.pk) in page

    def test_a_decisions_page_has_policies_and_facts_and_repeats_it(self, auditor_at_desk, early_text):
        decision = ContactDecision.objects.get(message_id=early_text.pk)
        page = text_of(auditor_at_desk.get(address(ContactDecision, "change", decision.pk)))
        consent = ContactPolicy.objects.get(jurisdiction="US-REGF", code="text-consent")

        assert address(ContactPolicy, "change", consent.pk) in page
        assert "consent that is not older than 60 days <small>12 CFR 1006.6(d)(3), (d)(5)" in page
        assert "Consent given on 2026-01-11" in page
        assert "These facts and policies give the same decision." in page
        for there in (early_text, early_text.debtor, early_text.debt):
            assert address(type(there), "change", there.pk) in page

    def test_a_denied_message_has_all_reasons(self, auditor_at_desk):
        log = queue()
        Hold.objects.create(debtor=log.debtor, reason="moratorium", starts_on=NOON.date())
        factories.suppress(log.debtor.email)
        drain()
        page = text_of(auditor_at_desk.get(address(CommunicationLog, "change", log.pk)))

        assert "The person is on hold (moratorium)." in page
        assert "SI 2020/1311 (UK), reg. 7" in page


def test_a_decision_is_repeated_by_the_versions_of_its_time(supervisor, settings):
    at = NOON.replace(hour=9)
    log = queue(debt=factories.debt(debtor=factories.debtor(country_code="NP", mobile_phone=None)), now=at)
    drain(at)
    (kept,) = ContactDecision.objects.filter(message_id=log.pk)
    hours = ContactPolicy.objects.get(jurisdiction="DEFAULT", code="hours")
    policies.amend(hours, by=supervisor, today=NOON.date(), hours="Mon 09:00-18:00")
    settings.CONTACT_WINDOW = (NOON.time(), NOON.replace(hour=13).time())

    assert kept.verdict == "allow"
    assert decisions.repeat(kept).verdict == "allow"
    assert decisions.repeat(kept).policies == tuple(kept.policies)


class TestPolicies:
    """A supervisor edits a policy as a new version, after a comparison with past decisions."""

    @staticmethod
    def newest():
        return ContactPolicy.objects.filter(jurisdiction="DEFAULT", code="hours").order_by("-version")[0]

    @pytest.fixture
    def edit(self, supervisor_at_desk):
        """Send the form of a new version as the page fills it in, with some changes."""
        page = f"{address(ContactPolicy, 'changelist')}{self.newest().pk}/new_version/"

        def send(**changes):
            fields = supervisor_at_desk.get(page).context["form"]
            filled = {name: fields[name].value() for name in fields.fields} | changes
            filled = {name: value for name, value in filled.items() if value not in (None, "", [], False)}
            return supervisor_at_desk.client.post(page, filled)

        return send

    @time_machine.travel(NOON + timedelta(days=1), tick=False)
    def test_a_draft_is_compared_with_yesterdays_decisions_and_nothing_changes(self, edit):
        at = NOON.replace(hour=9)
        queue(debt=factories.debt(debtor=factories.debtor(country_code="NP", mobile_phone=None)), now=at)
        drain(at)
        page = text_of(edit(hours="Mon-Fri 09:00-14:00", compare="yes"))

        assert "1 of 1 messages of 14 January 2026 get another verdict" in page
        assert "1 OUTSIDE_WINDOW" in page
        assert "It is 14:45 in Asia/Kathmandu; allowed is 09:00 to 14:00." in page
        assert address(ContactDecision, "change", ContactDecision.objects.get().pk) in page
        assert self.newest().version == 1

    @time_machine.travel(NOON, tick=False)
    def test_an_edit_is_a_new_version_and_the_old_one_ends(self, edit, supervisor_at_desk):
        answer = edit(hours="Mon,Tue 08:00-20:00; holidays off")
        new = self.newest()

        assert answer.status_code == 302, errors(answer)
        assert answer.url == address(ContactPolicy, "change", new.pk)
        assert (new.version, new.hours, new.by) == (2, "Mon,Tue 08:00-20:00; holidays off", supervisor_at_desk.agent)
        old = ContactPolicy.objects.get(jurisdiction="DEFAULT", code="hours", version=1)
        assert (old.hours, old.valid_to, new.valid_from) == (
            "Mon-Fri 09:00-18:00; holidays off",
            NOON.date(),
            NOON.date(),
        )
        page = text_of(supervisor_at_desk.get(answer.url))
        assert "Mon,Tue 08:00-20:00; holidays off" in page
        assert "pack" in page

    @time_machine.travel(NOON, tick=False)
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"hours": "Mon-Fri 09:00-07:00"}, "hours"),
            ({"valid_from": "2026-01-13"}, "valid_from"),
            ({"max_contacts": "0", "per_days": "7"}, "max_contacts"),
            ({"max_contacts": "3"}, "per_days"),
            ({"max_contacts": "x"}, "max_contacts"),
            ({"debt_kinds": ["loan"]}, "debt_kinds"),
            ({"countries": "XX"}, "countries"),
        ],
    )
    def test_an_invalid_value_is_shown_at_its_field_and_nothing_changes(self, edit, changes, field):
        assert field in errors(edit(**changes))
        assert self.newest().version == 1

    @time_machine.travel(NOON, tick=False)
    def test_a_new_rule_is_added(self, supervisor_at_desk):
        fields = {
            "jurisdiction": "NP", "code": "hours", "valid_from": "2026-01-14", "hours": "Mon-Fri 09:00-18:00",
            "countries": "np", "scope": "person", "counted": "attempts", "section": "ours", "source": "ours",
        }  # fmt: skip
        answer = supervisor_at_desk.client.post(address(ContactPolicy, "add"), fields)

        made = ContactPolicy.objects.get(jurisdiction="NP")
        assert answer.url == address(ContactPolicy, "change", made.pk)
        assert (made.version, made.countries, made.hours) == (1, ["NP"], "Mon-Fri 09:00-18:00")


class TestPreferences:
    def test_an_agent_records_and_withdraws_a_preference(self, agent_at_desk):
        debtor = factories.debtor()
        fields = {
            "debtor": debtor.pk,
            "statement": "Not before five",
            "opens": "17:00",
            "closes": "20:00",
            "weekdays": ["1"],
        }
        answer = agent_at_desk.post(address(ContactPreference, "add"), fields)
        preference = ContactPreference.objects.get()

        assert answer.status_code == 302, errors(answer)
        assert (preference.debtor, preference.opens, preference.weekdays, preference.by) == (
            debtor,
            time(17),
            [1],
            agent_at_desk.agent,
        )
        page = text_of(agent_at_desk.get(address(Debtor, "change", debtor.pk), panel="contact"))
        assert "contact Mon 17:00-20:00" in page
        agent_at_desk.post(f"{address(ContactPreference, 'changelist')}{preference.pk}/withdraw/")
        preference.refresh_from_db()
        assert preference.withdrawn_at is not None

    def test_an_unknown_time_zone_is_shown_at_its_field(self, agent_at_desk):
        fields = {"debtor": factories.debtor().pk, "statement": "Hello", "time_zone": "Mars/Olympus"}
        answer = agent_at_desk.post(address(ContactPreference, "add"), fields)

        assert "time_zone" in errors(answer)
        assert not ContactPreference.objects.exists()
