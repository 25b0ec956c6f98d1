"""Loading the packs, new versions, and the what-if on yesterday's messages."""

from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from communications.models import CommunicationLog
from contact import policies, policy_packs, what_if
from contact.engine.decision import Verdict
from contact.models import ContactDecision, ContactPolicy
from ddc.common.errors import DomainError
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def newest(jurisdiction, code):
    return ContactPolicy.objects.filter(jurisdiction=jurisdiction, code=code).order_by("-version")[0]


class TestLoading:
    def load(self, packs=policy_packs.PACKS):
        out = StringIO()
        call_command("load_policies", packs=packs, stdout=out)
        return out.getvalue()

    def test_loading_again_changes_nothing_and_keeps_edited_policies(self, supervisor):
        count = ContactPolicy.objects.count()
        assert self.load() == f"0 added, {count} unchanged.\n"
        policies.amend(newest("UK-CONC", "calls"), by=supervisor, today=TODAY, max_contacts=3)
        before = list(ContactPolicy.objects.values())

        assert (
            self.load()
            == f"0 added, {count - 1} unchanged.\nUK-CONC/calls: edited here, so the pack's version was not loaded.\n"
        )
        assert list(ContactPolicy.objects.values()) == before

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("max_contacts = 2", "max_contacts = ", "us_ma.toml: "),
            ("max_contacts = 2", 'max_contacts = "two"', "us_ma.toml: max_contacts: “two” value must be an integer."),
            ("max_contacts = 2", "least = 2", "us_ma.toml: unknown field: least"),
            ('confidence = "primary"', "", "us_ma.toml: calls: confidence is missing"),
            ('confidence = "primary"', 'confidence = "sure"', "us_ma.toml: confidence: "),
            ("checked_on = 2026-11-30", "", "us_ma.toml: calls: checked_on is missing"),
            ('code = "calls"', "", "us_ma.toml: 'code' is missing."),
            ('jurisdiction = "US-MA"', "", "us_ma.toml: 'jurisdiction' is missing."),
            ("2012-03-02", '"soon"', "us_ma.toml: valid_from: "),
            ('scope = "debt"', 'scope = "family"', "us_ma.toml: scope: "),
            (
                'channels = ["voice", "call_script", "sms"]',
                'hours = "Mon-Sun 21:00-08:00"',
                "21:00-08:00 closes before it opens",
            ),
        ],
    )
    def test_an_invalid_pack_is_named_and_nothing_is_loaded(self, tmp_path, old, new, words):
        text = (policy_packs.PACKS / "us_ma.toml").read_text()
        assert old in text
        (tmp_path / "us_ma.toml").write_text(text.replace(old, new))
        good = (policy_packs.PACKS / "de.toml").read_text().replace("08:00-20:00", "08:00-19:00")
        (tmp_path / "de.toml").write_text(good)
        before = list(ContactPolicy.objects.values())

        with pytest.raises(CommandError) as refused:
            self.load(tmp_path)
        assert words in str(refused.value)
        assert list(ContactPolicy.objects.values()) == before


class TestShippedPacks:
    def test_the_packs_are_loaded_by_migrate_and_loading_again_changes_nothing(self):
        before = list(ContactPolicy.objects.values())
        assert {row["jurisdiction"] for row in before} == {
            "US-REGF", "US-TCPA", "US-MA", "US-NY", "US-DC", "US-WA", "US-NYC", "CA-QC", "CA-ON", "CA-BC", "CA-AB", "UK-CONC",
            "AU-RG96", "DE", "EU", "IE", "GR", "RO", "IN", "CO", "CL", "PE", "EC", "MX", "ID", "TH", "PH", "SA", "REST-DAYS",
            "DEFAULT",
        }  # fmt: skip
        loaded = policy_packs.load()
        assert (loaded.added, loaded.unchanged) == (0, len(before))
        assert list(ContactPolicy.objects.values()) == before

    def test_an_edit_is_a_new_version_and_packs_leave_it_alone(self, supervisor):
        old = ContactPolicy.objects.get(jurisdiction="DEFAULT", code="week")
        new = policies.amend(old, by=supervisor, today=NOON.date(), max_contacts=2)

        old.refresh_from_db()
        assert (old.max_contacts, old.valid_to) == (3, NOON.date())
        assert (new.version, new.max_contacts, new.valid_from, new.per_days) == (2, 2, NOON.date(), 7)
        assert policy_packs.load().edited == ("DEFAULT/week",)
        with pytest.raises(policies.NotTheNewestVersion):
            policies.amend(old, by=supervisor, today=NOON.date(), max_contacts=1)
        with pytest.raises(policies.StartsTooEarly):
            policies.amend(new, by=supervisor, today=NOON.date(), valid_from=NOON.date() - timedelta(days=1))
        assert ContactPolicy.objects.filter(jurisdiction="DEFAULT", code="week").count() == 2

    def test_a_policy_is_edited_only_with_the_permission(self):
        old = ContactPolicy.objects.get(jurisdiction="DEFAULT", code="week")
        with pytest.raises(Exception, match="permission"):
            policies.amend(old, by=factories.agent("Agent"), today=NOON.date(), max_contacts=9)
        assert ContactPolicy.objects.filter(jurisdiction="DEFAULT", code="week").count() == 1

    @pytest.mark.owner
    @pytest.mark.parametrize("change", ["UPDATE contact_policy SET max_contacts = 99", "DELETE FROM contact_policy"])
    def test_a_version_never_changes(self, change):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)

    def test_a_pack_that_changed_becomes_a_new_version(self, tmp_path):
        text = (policy_packs.PACKS / "us_ma.toml").read_text()
        (tmp_path / "us_ma.toml").write_text(
            text.replace("max_contacts = 2", "max_contacts = 1").replace("2012-03-02", "2026-05-01")
        )

        assert policy_packs.load(packs=tmp_path).added == 2
        old, new = ContactPolicy.objects.filter(jurisdiction="US-MA", code="calls").order_by("version")
        assert (old.valid_to, new.valid_from, new.max_contacts) == (new.valid_from, new.valid_from, 1)

    def test_a_change_applies_at_once(self, supervisor):
        assert policies.current() is policies.current()
        before = policies.current()
        old = ContactPolicy.objects.get(jurisdiction="DEFAULT", code="week")
        policies.amend(old, by=supervisor, today=NOON.date(), max_contacts=2)
        assert policies.current() is not before


class TestVersions:
    def test_a_version_that_starts_before_a_planned_one_ends_both_earlier_ones(self, supervisor):
        planned = policies.amend(
            newest("DEFAULT", "week"), by=supervisor, today=TODAY, max_contacts=2, valid_from=TODAY + timedelta(days=9)
        )
        policies.amend(planned, by=supervisor, today=TODAY, max_contacts=1)
        versions = ContactPolicy.objects.filter(jurisdiction="DEFAULT", code="week").order_by("version")

        assert [(v.max_contacts, v.valid_to) for v in versions] == [
            (3, TODAY), (2, TODAY + timedelta(days=9)), (1, None)
        ]  # fmt: skip
        assert [v.max_contacts for v in versions if v.value.is_in_force(TODAY)] == [1]
        assert [v.max_contacts for v in versions if v.value.is_in_force(TODAY + timedelta(days=9))] == [1]

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"hours": "Mon-Fri 09:00-08:00"}, "hours"),
            ({"hours": "Mon-Fri nine to five"}, "hours"),
            ({"hours": "Someday 09:00-18:00"}, "hours"),
            ({"hours": "Mon-Fri off"}, "hours"),
            ({"hours": "Mon-Fri 09:00-18:00; 31 Feb off"}, "hours"),
            ({"max_contacts": 0}, "max_contacts"),
            ({"max_contacts": 3, "per_days": 367}, "max_contacts"),
            ({"max_contacts": 3, "per_days": None}, "per_days"),
            ({"max_contacts": 3, "per_days": 7, "per_calendar": "month"}, "per_days"),
            ({"wait_days": 6}, "wait_from"),
            ({"valid_to": TODAY - timedelta(days=1)}, "valid_to"),
        ],
    )
    def test_an_invalid_version_is_refused_and_nothing_changes(self, supervisor, fields, field):
        before = list(ContactPolicy.objects.values())
        with pytest.raises(DomainError) as refused:
            policies.amend(newest("DEFAULT", "week"), by=supervisor, today=TODAY, **fields)

        assert refused.value.field == field
        assert list(ContactPolicy.objects.values()) == before


class TestWhatIf:
    """Compare on the 15th with the decisions of the 14th."""

    @pytest.fixture
    def nepali(self):
        """Four of the 14th at 14:45 in Kathmandu: to four debtors; the last has given consent."""
        at = NOON.replace(hour=9)
        debtors = [factories.debtor(country_code="NP", mobile_phone=None) for _ in range(4)]
        factories.consent(debtors[-1], "email", NOON - timedelta(days=5))
        for debtor in debtors:
            queue(debt=factories.debt(debtor=debtor), now=at)
        for minute in range(4):
            drain(at.replace(minute=minute))
        assert CommunicationLog.objects.filter(status="sent").count() == 4
        return debtors

    @staticmethod
    def compare(jurisdiction="DEFAULT", code="week", **changes):
        draft = replace(newest(jurisdiction, code).value, **changes)
        return what_if.compare(draft, today=TODAY + timedelta(days=1))

    @pytest.mark.usefixtures("nepali")
    def test_the_same_policy_changes_nothing(self):
        found = self.compare()

        assert (found.day, found.messages, found.changed) == (date(2026, 1, 14), 4, 0)
        assert found.before == found.after == {Verdict.ALLOW: 4}

    @pytest.mark.usefixtures("nepali")
    def test_stricter_hours_postpone_the_messages_after_them(self):
        found = self.compare(code="hours", hours="Mon-Fri 09:00-14:00")
        assert found.after == {Verdict.POSTPONE: 4}
        assert found.reasons == {(Verdict.POSTPONE, "OUTSIDE_WINDOW"): 4}
        assert {change.after.verdict for change in found.sample} == {Verdict.POSTPONE}
        assert found.changed == len(found.sample) == 4
        assert {row.verdict for row in ContactDecision.objects.all()} == {"allow"}

    def test_facts_that_did_not_matter_then_are_recorded_too(self, nepali):
        found = self.compare(consent_needed=True)

        assert found.after == {Verdict.DENY: 3, Verdict.ALLOW: 1}
        assert found.reasons == {(Verdict.DENY, "CONSENT_MISSING"): 3}

    def test_a_policy_for_a_new_jurisdiction_applies_there(self, nepali, supervisor):
        draft = policies.add(
            by=supervisor, today=TODAY, jurisdiction="NP", code="never-on-wednesdays", section="ours", source="ours",
            valid_from=TODAY, countries=["NP"], hours="Mon,Tue 00:00-24:00",
        )  # fmt: skip
        found = what_if.compare(draft.value, today=TODAY + timedelta(days=1))

        assert found.after == {Verdict.POSTPONE: 4}

    def test_without_messages_there_is_nothing_to_compare(self):
        assert self.compare().day is None

    def test_the_number_of_queries_does_not_depend_on_the_messages(self, nepali):
        self.compare()
        with CaptureQueriesContext(connection) as few:
            self.compare(max_contacts=1)
        for minute in range(10, 30):
            queue(
                debt=factories.debt(debtor=factories.debtor(country_code="NP", mobile_phone=None)),
                now=NOON.replace(hour=9),
            )
            drain(NOON.replace(hour=9, minute=minute))
        with CaptureQueriesContext(connection) as many:
            assert self.compare(max_contacts=1).messages == 24
        assert len(many) == len(few) <= 12
