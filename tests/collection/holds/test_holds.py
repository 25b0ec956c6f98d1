"""Holds are opened, approved, moved, reviewed and ended, and expire at the debtor's midnight."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from collection import debts, deferrals
from collection.holds import amendments, expiry, holds
from collection.holds.reasons import POLICIES, Block
from collection.models import Hold, HoldEvent
from ddc.common.errors import Forbidden
from debtors import debtors
from tests import factories

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
BY_HAND = sorted(reason for reason, policy in POLICIES.items() if policy.is_manual)

pytestmark = pytest.mark.django_db


def open_hold(**values):
    if "debt" not in values and "debtor" not in values:
        values["debtor"] = factories.debtor()
    values.setdefault("by", None)
    return holds.open_hold(**{"reason": "cease", "source": "Letter of 30 January", "now": NOW} | values)


def history(hold):
    return [(event.kind, event.by, event.why, event.ends_on) for event in hold.events.order_by("at", "id")]


def in_force(today):
    return Hold.objects.filter(starts_on__lte=today).exclude(ends_on__lte=today)


def day(number):
    return TODAY + timedelta(days=number)


class TestOpening:
    @pytest.mark.parametrize("reason", BY_HAND)
    @pytest.mark.parametrize("scope", ["person", "debt"])
    def test_a_hold_of_every_reason_can_be_opened_on_a_person_or_a_debt(self, reason, scope):
        debt = factories.debt()
        hold = open_hold(reason=reason, debt=debt) if scope == "debt" else open_hold(reason=reason, debtor=debt.debtor)
        assert (hold.debt_id is not None, hold.starts_on, hold.ended_at) == (scope == "debt", TODAY, None)
        assert {block for block in Block if getattr(hold, f"blocks_{block}")} == POLICIES[reason].blocks
        assert list(in_force(TODAY).on(debt)) == [hold]

    def test_a_hold_records_its_source_agent_time_and_note(self):
        agent = factories.agent("Agent")
        hold = open_hold(by=agent, why="They asked in writing.")
        assert (hold.source, hold.by) == ("Letter of 30 January", agent)
        assert history(hold) == [("opened", agent, "They asked in writing.", None)]
        assert hold.events.get().at == NOW

    def test_a_hold_needs_a_source(self):
        with pytest.raises(holds.SourceRequired):
            open_hold(source=" ")
        assert not Hold.objects.exists()

    def test_a_hold_is_on_one_person_or_one_debt(self):
        debt = factories.debt()
        for neither_or_both in ({"debtor": None}, {"debt": debt, "debtor": debt.debtor}):
            with pytest.raises(holds.DebtorOrDebtRequired):
                open_hold(**neither_or_both)
        assert not Hold.objects.exists()

    @pytest.mark.parametrize("reason", ["deferral", "dispute"])
    def test_holds_for_deferrals_and_disputes_are_not_opened_by_hand(self, reason):
        with pytest.raises(holds.ReasonNotManual):
            open_hold(reason=reason)
        assert not Hold.objects.exists()

    def test_a_hold_ends_after_it_starts(self):
        with pytest.raises(holds.EndsBeforeStart):
            open_hold(starts_on=TODAY, ends_on=TODAY)
        assert not Hold.objects.exists()

    def test_a_hold_may_block_more_or_less_than_the_default_but_not_less_than_required(self):
        assert not open_hold(reason="complaint", blocks=["strategy"]).blocks_contact
        assert open_hold(reason="cease", blocks=list(Block)).blocks_interest
        with pytest.raises(holds.BlocksRequiredByLaw) as refusal:
            open_hold(reason="moratorium", blocks=["contact", "strategy"])
        assert refusal.value.message == "This reason must block these too: interest, payment requests."
        assert Hold.objects.count() == 2

    def test_an_auditor_may_not_open_a_hold(self):
        with pytest.raises(Forbidden):
            open_hold(by=factories.agent("Auditor"))
        assert not Hold.objects.exists()

    def test_a_hold_begins_with_the_first_of_the_debtors_clocks(self):
        at = datetime(2026, 2, 1, 3, tzinfo=UTC)  # Still the 31st in New York.
        american = factories.debtor(country_code="US", region_state="NY", mobile_phone="+12125550123")
        assert open_hold(debtor=american, now=at).starts_on == date(2026, 1, 31)
        nowhere = factories.debtor(country_code=None, mobile_phone=None)
        assert open_hold(debtor=nowhere, now=at).starts_on == date(2026, 1, 31)

    def test_the_furthest_dates_break_nothing(self):
        hold = open_hold(reason="moratorium", starts_on=date.max - timedelta(days=1))
        assert hold.ends_on == date.max
        assert expiry.expire(now=NOW) == 0


class TestBreathingSpace:
    def test_it_lasts_60_days_with_the_midway_review_by_the_35th(self):
        hold = open_hold(reason="moratorium", starts_on=date(2026, 3, 2))
        assert (hold.ends_on, hold.review_on) == (date(2026, 5, 1), date(2026, 4, 5))
        assert (hold.ends_on - hold.starts_on).days == 60
        assert (hold.review_on - hold.starts_on).days + 1 == 35
        assert all((hold.blocks_contact, hold.blocks_strategy, hold.blocks_payment_requests, hold.blocks_interest))

    def test_its_length_is_fixed_by_the_regulations(self):
        with pytest.raises(holds.LengthFixedByLaw):
            open_hold(reason="moratorium", ends_on=day(90))
        hold = open_hold(reason="moratorium", starts_on=TODAY, ends_on=day(60))
        with pytest.raises(holds.LengthFixedByLaw):
            amendments.move(hold, ends_on=day(90), why="To be kind.", by=factories.agent(), now=NOW)
        hold.refresh_from_db()
        assert hold.ends_on == day(60)

    @pytest.mark.parametrize(
        "where",
        [
            {"country_code": "US"}, {"country_code": "DE"}, {"region_state": "Scotland"}, {"region_state": "GB-SCT"},
            {"region_state": "Alba"}, {"region_state": "N. Ireland"}, {"postal_code": "EH1 1AA"}, {"city": "Glasgow"},
            {"postal_code": "BT1 5GS"}, {"city": "Edinburgh", "country_code": None}, {"region_state": "Jersey"},
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("reason", ["moratorium", "mental_health_moratorium"])
    def test_it_is_for_england_and_wales(self, where, reason):
        with pytest.raises(holds.AddressElsewhere):
            open_hold(reason=reason, debtor=factories.debtor(**where))
        assert not Hold.objects.exists()

    def test_for_mental_health_it_lasts_as_long_as_the_treatment_and_30_days(self):
        hold = open_hold(reason="mental_health_moratorium", starts_on=TODAY)
        assert (hold.ends_on, hold.review_on) == (None, day(30))
        last_day = day(40)
        amendments.end_treatment(hold, last_day=last_day, why="The adviser wrote.", by=factories.agent(), now=NOW)
        free = hold.ends_on
        assert in_force(last_day + timedelta(days=30)).exists()
        assert not in_force(last_day + timedelta(days=31)).exists()
        assert (free, hold.review_on) == (last_day + timedelta(days=31), None)

    def test_only_a_mental_health_moratorium_ends_with_a_treatment(self):
        hold = open_hold(reason="moratorium")
        with pytest.raises(amendments.NotATreatmentHold):
            amendments.end_treatment(hold, last_day=TODAY, why="?", by=factories.agent(), now=NOW)
        with pytest.raises(holds.LengthFixedByLaw):
            open_hold(reason="mental_health_moratorium", ends_on=day(5))


class TestApproval:
    def test_a_hold_is_active_while_it_waits_for_approval(self):
        agent, boss = factories.agent("Agent"), factories.agent("Supervisor")
        hold = open_hold(reason="vulnerable", by=agent)
        assert in_force(TODAY).get() == hold
        assert hold.approved_by is None
        amendments.approve(hold, by=boss, now=NOW, why="Agreed.")
        assert hold.approved_by == boss
        assert [kind for kind, *_ in history(hold)] == ["opened", "approved"]
        with pytest.raises(amendments.NothingToApprove):
            amendments.approve(hold, by=boss, now=NOW)
        assert hold.events.count() == 2

    def test_a_supervisors_own_hold_is_approved(self):
        boss = factories.agent("Supervisor")
        assert open_hold(reason="vulnerable", by=boss).approved_by == boss

    def test_a_hold_required_by_law_needs_no_approval(self):
        hold = open_hold(reason="cease", by=factories.agent("Agent"))
        with pytest.raises(amendments.NothingToApprove):
            amendments.approve(hold, by=factories.agent(), now=NOW)

    def test_an_agent_may_not_approve_a_hold(self):
        hold = open_hold(reason="vulnerable", by=factories.agent("Agent"))
        with pytest.raises(Forbidden):
            amendments.approve(hold, by=factories.agent("Agent"), now=NOW)
        hold.refresh_from_db()
        assert hold.approved_by is None

    def test_an_agent_may_only_move_an_end_later_and_the_hold_waits_again(self):
        agent = factories.agent("Agent")
        hold = open_hold(reason="vulnerable", ends_on=day(10), by=factories.agent("Supervisor"))
        amendments.move(hold, ends_on=day(20), why="Still ill.", by=agent, now=NOW)
        assert (hold.ends_on, hold.approved_by) == (day(20), None)
        with pytest.raises(Forbidden):
            amendments.move(hold, ends_on=day(5), why="Enough.", by=agent, now=NOW)
        hold.refresh_from_db()
        assert hold.ends_on == day(20)
        assert history(hold)[-1] == ("moved", agent, "Still ill.", day(20))


class TestEnding:
    def test_ending_one_ends_no_other(self):
        debt, boss = factories.debt(), factories.agent()
        first, second = open_hold(debt=debt), open_hold(debt=debt, reason="complaint")
        on_person = open_hold(debtor=debt.debtor, reason="attorney")
        amendments.end(first, why="They wrote again.", by=boss, now=NOW)
        assert set(in_force(TODAY).on(debt)) == {second, on_person}
        assert (first.ended_by, first.ended_at) == (boss, NOW)
        assert history(first)[-1] == ("ended", boss, "They wrote again.", TODAY)

    def test_a_hold_is_ended_once(self):
        hold = open_hold()
        amendments.end(hold, why="A mistake.", by=factories.agent(), now=NOW)
        for again in (
            lambda: amendments.end(hold, why="Again.", by=factories.agent(), now=NOW),
            lambda: amendments.move(hold, ends_on=day(9), why="Longer.", by=factories.agent(), now=NOW),
            lambda: amendments.review(hold, review_on=day(9), why="Looked.", by=factories.agent(), now=NOW),
        ):
            with pytest.raises(amendments.HoldEnded):
                again()
        assert hold.events.count() == 2

    def test_an_agent_may_not_end_a_hold_and_a_note_is_required(self):
        hold = open_hold()
        with pytest.raises(Forbidden):
            amendments.end(hold, why="I like.", by=factories.agent("Agent"), now=NOW)
        with pytest.raises(amendments.NoteRequired):
            amendments.end(hold, why=" ", by=factories.agent(), now=NOW)
        hold.refresh_from_db()
        assert (hold.ended_at, hold.events.count()) == (None, 1)

    def test_a_scheduled_hold_can_be_ended_before_it_begins(self):
        hold = open_hold(starts_on=day(5))
        amendments.end(hold, why="A mistake.", by=factories.agent(), now=NOW)
        assert not in_force(day(6)).exists()

    def test_a_review_records_its_finding_and_the_next_date(self):
        hold, agent = open_hold(reason="attorney"), factories.agent("Agent")
        amendments.review(hold, review_on=day(120), why="Still represented.", by=agent, now=NOW)
        assert hold.review_on == day(120)
        assert history(hold)[-1] == ("reviewed", agent, "Still represented.", None)

    @pytest.mark.owner
    def test_the_history_is_never_changed_or_deleted(self):
        event = open_hold().events.get()
        for change in (lambda: HoldEvent.objects.update(why="Nothing."), lambda: HoldEvent.objects.all().delete()):
            with pytest.raises(IntegrityError), transaction.atomic():
                change()
        event.refresh_from_db()
        assert event.why == ""

    def test_a_debtor_or_debt_with_a_hold_is_not_deleted(self):
        hold, debt = open_hold(), factories.debt()
        open_hold(debt=debt)
        with pytest.raises(debtors.HasDebts):
            debtors.delete(hold.debtor)
        with transaction.atomic(), pytest.raises(debts.DebtInUse):
            debts.delete(debt, by=None, today=TODAY)


class TestExpiry:
    @pytest.mark.parametrize(
        ("where", "midnight"),
        [
            ({"country_code": "GB"}, datetime(2026, 2, 10, tzinfo=UTC)),
            (
                {"country_code": "US", "region_state": "NY", "mobile_phone": "+12125550123"},
                datetime(2026, 2, 10, 5, tzinfo=UTC),
            ),
            (
                {"country_code": "AU", "region_state": "NSW", "postal_code": "2000", "mobile_phone": "+61255501234"},
                datetime(2026, 2, 9, 13, tzinfo=UTC),
            ),
            # An Eastern phone with a Pacific address: the last of the clocks counts.
            (
                {"country_code": "US", "region_state": "CA", "mobile_phone": "+12125550123"},
                datetime(2026, 2, 10, 8, tzinfo=UTC),
            ),
            # Nothing known: when it is that day everywhere.
            ({"country_code": None, "mobile_phone": None}, datetime(2026, 2, 10, 12, tzinfo=UTC)),
        ],
    )
    def test_a_hold_ends_at_the_last_local_midnight(self, where, midnight):
        hold = open_hold(debtor=factories.debtor(**where), ends_on=date(2026, 2, 10))
        assert expiry.expire(now=midnight - timedelta(seconds=1)) == 0
        assert expiry.expire(now=midnight) == 1
        hold.refresh_from_db()
        assert (hold.ended_at, hold.ended_by) == (midnight, None)
        assert history(hold)[-1] == ("expired", None, "", date(2026, 2, 10))

    def test_many_holds_expire_in_as_many_statements_as_one(self, django_assert_num_queries):
        for count in (1, 20):
            for _ in range(count):
                open_hold(debt=factories.debt(), ends_on=day(3))
            with django_assert_num_queries(7):
                assert expiry.expire(now=NOW + timedelta(days=3)) == count

    def test_a_deferred_debt_becomes_active_only_with_its_last_deferral(self):
        debt, boss = factories.debt(), factories.agent()
        for days in (5, 9):
            asked = deferrals.request(debt, debtor=debt.debtor, days=days, reason="I lost my job.", now=NOW)
            deferrals.approve(asked, by=boss, notes=None, now=NOW)
        first, last = Hold.objects.order_by("ends_on")
        expiry.expire(now=datetime.combine(first.ends_on, NOW.timetz()))
        debt.refresh_from_db()
        assert debt.current_status == "deferred"
        expiry.expire(now=datetime.combine(last.ends_on, NOW.timetz()))
        debt.refresh_from_db()
        assert debt.current_status == "active"
