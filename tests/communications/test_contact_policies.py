"""The packs and how they are brought in, new versions, and what yesterday's messages would have met under them."""

from dataclasses import replace
from datetime import date, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from communications.contact import policy_book, rehearsal
from communications.contact.gate import Verdict
from communications.models import CommunicationLog, ContactDecision, ContactPolicy
from ddc.common.errors import DomainError
from debtors.models import ContactPoint
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def newest(jurisdiction, code):
    return ContactPolicy.objects.filter(jurisdiction=jurisdiction, code=code).order_by("-version")[0]


class TestLoading:
    def load(self, packs=policy_book.PACKS):
        out = StringIO()
        call_command("load_policies", packs=packs, stdout=out)
        return out.getvalue()

    def test_loading_again_changes_nothing_and_leaves_what_was_amended_alone(self, supervisor):
        count = ContactPolicy.objects.count()
        assert self.load() == f"0 added, {count} as they were.\n"
        policy_book.amend(newest("UK-CONC", "calls"), by=supervisor, today=TODAY, most=3)
        before = list(ContactPolicy.objects.values())

        assert (
            self.load()
            == f"0 added, {count - 1} as they were.\nUK-CONC/calls: edited here, so the pack's is left out.\n"
        )
        assert list(ContactPolicy.objects.values()) == before

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("most = 2", "most = ", "us_ma.toml: "),
            ("most = 2", 'most = "two"', "us_ma.toml: most: “two” value must be an integer."),
            ("most = 2", "least = 2", "us_ma.toml: nobody knows least"),
            ('code = "calls"', "", "us_ma.toml: 'code' is missing."),
            ('jurisdiction = "US-MA"', "", "us_ma.toml: 'jurisdiction' is missing."),
            ("2012-03-02", '"soon"', "us_ma.toml: valid_from: "),
            ('scope = "debt"', 'scope = "family"', "us_ma.toml: scope: "),
            (
                'channels = ["voice", "call_script", "sms"]',
                "opens = 21:00:00\ncloses = 08:00:00",
                "Opening and closing",
            ),
        ],
    )
    def test_a_bad_pack_says_what_is_wrong_and_brings_nothing_in(self, tmp_path, old, new, words):
        text = (policy_book.PACKS / "us_ma.toml").read_text()
        assert old in text
        (tmp_path / "us_ma.toml").write_text(text.replace(old, new))
        good = (policy_book.PACKS / "de.toml").read_text().replace("closes = 20:00:00", "closes = 19:00:00")
        (tmp_path / "de.toml").write_text(good)
        before = list(ContactPolicy.objects.values())

        with pytest.raises(CommandError) as refused:
            self.load(tmp_path)
        assert words in str(refused.value)
        assert list(ContactPolicy.objects.values()) == before


class TestVersions:
    def test_a_version_that_starts_before_a_planned_one_ends_all_that_went_before(self, supervisor):
        planned = policy_book.amend(
            newest("DEFAULT", "week"), by=supervisor, today=TODAY, most=2, valid_from=TODAY + timedelta(days=9)
        )
        policy_book.amend(planned, by=supervisor, today=TODAY, most=1)
        versions = ContactPolicy.objects.filter(jurisdiction="DEFAULT", code="week").order_by("version")

        assert [(v.most, v.valid_to) for v in versions] == [
            (3, TODAY), (2, TODAY + timedelta(days=9)), (1, None)
        ]  # fmt: skip
        assert [v.most for v in versions if v.value.holds_on(TODAY)] == [1]
        assert [v.most for v in versions if v.value.holds_on(TODAY + timedelta(days=9))] == [1]

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"opens": time(9), "closes": time(8)}, "closes"),
            ({"opens": time(9), "closes": None}, "closes"),
            ({"weekend_opens": time(9)}, "weekend_closes"),
            ({"most": 0}, "most"),
            ({"most": 3, "per_days": 60}, "most"),
            ({"valid_to": TODAY - timedelta(days=1)}, "valid_to"),
        ],
    )
    def test_a_version_that_makes_no_sense_is_refused_and_nothing_changes(self, supervisor, fields, field):
        before = list(ContactPolicy.objects.values())
        with pytest.raises(DomainError) as refused:
            policy_book.amend(newest("DEFAULT", "week"), by=supervisor, today=TODAY, **fields)

        assert refused.value.field == field
        assert list(ContactPolicy.objects.values()) == before


class TestRehearsal:
    """On the 15th: what the messages of the 14th would have met."""

    @pytest.fixture
    def nepali(self):
        """Four of the 14th at 14:45 in Kathmandu: the gate let three go to one person, and one to another."""
        at = NOON.replace(hour=9)
        debtors = [factories.debtor(country_code="NP", mobile_phone=None) for _ in range(2)]
        for debtor in (debtors[0],) * 3 + (debtors[1],):
            queue(debt=factories.debt(debtor=debtor), now=at)
        for minute in range(4):
            drain(at.replace(minute=minute))
        assert CommunicationLog.objects.filter(status="sent").count() == 4
        return debtors

    @staticmethod
    def rehearse(jurisdiction="DEFAULT", code="week", **changes):
        draft = replace(newest(jurisdiction, code).value, **changes)
        return rehearsal.rehearse(draft, today=TODAY + timedelta(days=1))

    @pytest.mark.usefixtures("nepali")
    def test_the_same_policy_changes_nothing(self):
        found = self.rehearse()

        assert (found.day, found.looked_at, found.changed) == (date(2026, 1, 14), 4, 0)
        assert found.was == found.would_be == {Verdict.ALLOW: 4}

    @pytest.mark.usefixtures("nepali")
    def test_a_stricter_cap_puts_off_what_was_beyond_it(self):
        found = self.rehearse(code="hours", closes=time(14))
        assert found.would_be == {Verdict.POSTPONE: 4}
        assert found.reasons == {(Verdict.POSTPONE, "OUTSIDE_WINDOW"): 4}
        assert {change.decision.verdict for change in found.sample} == {Verdict.POSTPONE}
        assert found.changed == len(found.sample) == 4
        assert {row.verdict for row in ContactDecision.objects.all()} == {"allow"}

    def test_consent_that_nobody_asked_for_then_is_looked_up(self, nepali):
        ContactPoint.objects.filter(value=nepali[1].email).update(consented_at=NOON - timedelta(days=5))
        found = self.rehearse(consent_needed=True)

        assert found.would_be == {Verdict.DENY: 3, Verdict.ALLOW: 1}
        assert found.reasons == {(Verdict.DENY, "CONSENT_MISSING"): 3}

    def test_a_policy_for_a_place_that_had_none_counts_there(self, nepali, supervisor):
        draft = policy_book.add(
            by=supervisor, today=TODAY, jurisdiction="NP", code="never-on-wednesdays", section="ours", source="ours",
            valid_from=TODAY, countries=["NP"], weekdays=[1, 2],
        )  # fmt: skip
        found = rehearsal.rehearse(draft.value, today=TODAY + timedelta(days=1))

        assert found.would_be == {Verdict.POSTPONE: 4}

    def test_where_nothing_went_there_is_nothing_to_try_it_on(self):
        assert self.rehearse().day is None

    def test_its_queries_do_not_depend_on_the_messages(self, nepali):
        self.rehearse()
        with CaptureQueriesContext(connection) as few:
            self.rehearse(most=1)
        for minute in range(10, 30):
            queue(
                debt=factories.debt(debtor=factories.debtor(country_code="NP", mobile_phone=None)),
                now=NOON.replace(hour=9),
            )
            drain(NOON.replace(hour=9, minute=minute))
        with CaptureQueriesContext(connection) as many:
            assert self.rehearse(most=1).looked_at == 24
        assert len(many) == len(few) <= 12
