"""Decisions on real messages: facts from the database, recorded decisions, holds on queued messages."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from collection.holds import amendments, holds
from collection.holds.reasons import POLICIES
from collection.models import Debt, Hold
from communications.models import CommunicationLog
from communications.outbox import may_go, outbox
from contact import policies
from contact.decision_json import facts_from_json
from contact.engine import gate
from contact.engine.applicable import PolicySet
from contact.engine.decision import ReasonCode, Verdict
from contact.models import ContactDecision, ContactPreference, Purpose
from ddc.common import dataclass_json
from debtors.channels import Channel
from debtors.models import ContactPoint, Debtor
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


def facts_of(log):
    (found,) = may_go.gate_inputs([log], now=NOON)
    return found.facts


def sent(debt, *, at, channel="email", status="sent", **values):
    return CommunicationLog.objects.create(
        debtor=debt.debtor, debt=debt, communication_type=channel, status=status, body="x", sent_at=at, **values
    )


def american(**values):
    return factories.debtor(**{"country_code": "US", "region_state": "NJ", "mobile_phone": "+12015550123"} | values)


class TestFacts:
    def test_an_ordinary_debt_is_free(self):
        found = facts_of(queue())

        assert (found.suppressed, found.debt_is_closed, found.blocks) == (False, False, ())
        assert found.zones == {"Europe/London"}
        assert {location.country for location in found.locations} == {"GB"}

    def test_an_address_is_suppressed_whatever_its_case(self):
        debtor = factories.debtor(email="John@Example.COM")
        ContactPoint.objects.filter(value="john@example.com").update(opted_out_at=NOON)

        assert facts_of(queue(debt=factories.debt(debtor=debtor))).suppressed

    def test_a_hold_counts_by_the_debtors_own_calendar(self):
        today = NOON.date()
        debts = [factories.debt() for _ in range(4)]
        past, present, future, person = debts
        Hold.objects.create(debt=past, reason="deferral", starts_on=today - timedelta(days=9), ends_on=today)
        Hold.objects.create(debt=present, reason="deferral", starts_on=today, ends_on=today + timedelta(days=1))
        Hold.objects.create(debt=future, reason="deferral", starts_on=today + timedelta(days=1))
        Hold.objects.create(debtor=person.debtor, reason="cease", starts_on=today)

        asked = may_go.gate_inputs([queue(debt=debt) for debt in debts], now=NOON)
        verdicts = [one.decide(NOON).verdict for one in asked]
        assert verdicts == [Verdict.ALLOW, Verdict.DENY, Verdict.ALLOW, Verdict.DENY]

    def test_a_hold_that_does_not_block_contact_lets_messages_go(self):
        debt = factories.debt()
        Hold.objects.create(
            debt=debt, reason="dispute", starts_on=NOON.date(), blocks_contact=False, blocks_payment_requests=False
        )

        assert facts_of(queue(debt=debt)).blocks == ()

    def test_a_hold_that_blocks_payment_requests_stops_the_templates_that_ask_for_payment(self):
        debt = factories.debt()
        Hold.objects.create(debt=debt, reason="arrangement", starts_on=NOON.date(), blocks_contact=False)
        asking = factories.template(asks_for_payment=True)
        factories.template(name=asking.name, language="de")

        refused = queue(debt=debt, template=asking)
        queue(debt=debt)

        assert drain().statuses == {"blocked": 1, "sent": 1}
        kept = ContactDecision.objects.get(message_id=refused.pk)
        assert [reason["code"] for reason in kept.reasons] == ["PAYMENT_REQUEST_HELD"]
        assert gate.decide(facts_from_json(kept.facts), PolicySet([]), NOON).reasons

    def test_a_hold_that_was_ended_blocks_nothing_in_any_time_zone(self):
        log = queue()
        hold = holds.open_hold(reason="cease", debtor=log.debtor, source="Letter", by=None, now=NOON)
        amendments.end(hold, why="They wrote again.", by=factories.agent(), now=NOON)

        assert facts_of(log).blocks == ()

    def test_a_phone_of_another_country_adds_that_countrys_law(self):
        debt = factories.debt(debtor=factories.debtor(mobile_phone="+12015550123"))

        assert {location.country for location in facts_of(queue(debt=debt)).locations} == {"GB", "US"}

    def test_sent_messages_count_and_unsent_ones_do_not(self):
        debt = factories.debt(debtor=american())
        for status in ("sent", "delivered", "uncertain", "sending", "failed", "blocked"):
            sent(debt, at=NOON - timedelta(days=1), channel="voice", status=status, due_at=NOON)
        sent(debt, at=NOON - timedelta(days=1), channel="voice", purpose=Purpose.CODE)
        found = facts_of(queue(debt=debt, channel="voice", template=factories.template(communication_type="voice")))

        assert sum(contact.attempted for contact in found.history) == 4

    def test_an_opt_out_ends_an_earlier_consent(self):
        debtor = american()
        debt = factories.debt(debtor=debtor)
        sms = factories.template(communication_type="sms", subject=None)
        point = ContactPoint.objects.filter(value=debtor.mobile_phone)

        assert facts_of(queue(debt=debt, channel="sms", template=sms)).consented_at is None
        factories.consent(debtor, "sms", NOON)
        assert facts_of(queue(debt=debt, channel="sms", template=sms)).consented_at == NOON
        point.update(opted_out_at=NOON + timedelta(hours=1))
        assert facts_of(queue(debt=debt, channel="sms", template=sms)).consented_at is None

    def test_preferences_narrow_the_time_the_channel_and_the_address(self):
        debt = factories.debt()
        ContactPreference.objects.create(debtor=debt.debtor, statement="Only evenings", opens=time(17), closes=time(20))
        ContactPreference.objects.create(debtor=debt.debtor, statement="I moved", time_zone="Asia/Tokyo")
        ContactPreference.objects.create(debtor=debt.debtor, statement="Work", work_address=debt.debtor.email.upper())
        found = facts_of(queue(debt=debt))

        assert found.zones == {"Europe/London", "Asia/Tokyo"}
        assert (found.refusal, found.is_work_address) == (None, True)
        assert [preference.hours for preference in found.preferences] == ["Mon-Sun 17:00-20:00"]


class TestDecisions:
    def test_every_decision_is_recorded_also_one_that_allows(self):
        log = queue()

        assert drain().statuses == {"sent": 1}
        (kept,) = ContactDecision.objects.all()
        assert (kept.message_id, kept.stage, kept.verdict, kept.reasons) == (log.pk, "sending", "allow", [])
        assert "AGENCY/08:00-21:00@1" in kept.policies
        assert kept.facts["zones"] == ["Europe/London"]
        assert log.debtor.email not in str(kept.facts)

    def test_a_recorded_decision_can_be_repeated_from_its_facts(self):
        night = NOON.replace(hour=3)
        debt = factories.debt(debtor=american())
        for n in range(7):
            sent(debt, at=night - timedelta(days=1, minutes=n), channel="voice")
        Hold.objects.create(
            debt=debt,
            reason="complaint",
            starts_on=NOON.date() - timedelta(days=1),
            ends_on=NOON.date() + timedelta(days=9),
        )
        ContactPreference.objects.create(
            debtor=debt.debtor, statement="Evenings", opens=time(17), closes=time(20), weekdays=[1, 2]
        )
        queue(
            debt=debt, channel="voice", template=factories.template(communication_type="voice", subject=None), now=night
        )
        drain(night)

        (kept,) = ContactDecision.objects.all()
        facts = facts_from_json(kept.facts)
        again = gate.decide(facts, policies.current(), kept.at)
        assert [dataclass_json.write(reason) for reason in again.reasons] == kept.reasons
        assert {reason.code for reason in again.reasons} >= {
            ReasonCode.DEBT_HELD,
            ReasonCode.TOO_MANY,
            ReasonCode.OUTSIDE_WINDOW,
        }

    @pytest.mark.owner
    @pytest.mark.parametrize(
        "change", ["UPDATE contact_decision SET verdict = 'allow'", "DELETE FROM contact_decision"]
    )
    def test_a_decision_is_never_changed_or_deleted(self, change):
        queue()
        drain()
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
        assert ContactDecision.objects.count() == 1

    def test_a_moratorium_blocks_a_message_that_is_queued_already(self):
        log = queue()
        Hold.objects.create(debtor=log.debtor, reason="moratorium", starts_on=NOON.date())

        assert drain().statuses == {"blocked": 1}
        (kept,) = ContactDecision.objects.all()
        assert kept.reasons[0]["section"] == "SI 2020/1311 (UK), reg. 7"

    @pytest.mark.parametrize("reason", sorted(reason for reason, policy in POLICIES.items() if policy.is_manual))
    @pytest.mark.parametrize("scope", ["person", "debt"])
    def test_a_hold_blocks_queued_messages_of_its_debt_or_of_all_debts_of_its_person(self, reason, scope):
        first = queue(template=factories.template(asks_for_payment=True))
        other = queue(debt=factories.debt(debtor=first.debtor), template=factories.template(asks_for_payment=True))
        on = {"debt": first.debt} if scope == "debt" else {"debtor": first.debtor}
        holds.open_hold(reason=reason, source="Letter", by=None, now=NOON, **on)

        drain()
        first.refresh_from_db()
        other.refresh_from_db()
        assert (first.status, other.status) == ("blocked", "sent" if scope == "debt" else "blocked")

    def test_a_debtor_who_moves_while_a_message_is_queued_is_under_the_other_law(self):
        at = datetime(2026, 1, 14, 11, tzinfo=UTC)  # 11:00 in London, 6:00 in New Jersey
        log = queue(now=at)
        log.debtor.country_code, log.debtor.region_state, log.debtor.mobile_phone = "US", "NJ", "+12015550123"
        log.debtor.save()

        assert drain(at).statuses == {"postponed": 1}
        log.refresh_from_db()
        assert log.due_at == datetime(2026, 1, 14, 13, tzinfo=UTC)
        assert "US-REGF/hours@1" in ContactDecision.objects.get().policies

    def test_the_eighth_call_in_a_week_waits(self):
        debt = factories.debt(debtor=american())
        noon = NOON.replace(hour=17)
        for n in range(6):
            sent(debt, at=noon - timedelta(hours=n + 1), channel="voice")
        template = factories.template(communication_type="call_script", subject=None)
        for _ in range(2):
            queue(debt=debt, channel="call_script", template=template)

        assert drain(noon).statuses == {"sent": 1, "postponed": 1}


class TestBatches:
    """A batch takes as many queries as one message."""

    @staticmethod
    def waiting(count):
        """Queue a text to each of many Americans with an earlier call; every third has opted out."""
        Debtor.objects.bulk_create(
            Debtor(
                first_name="John", last_name="Doe", email=f"john{n}@example.org", mobile_phone=f"+1201{n:07d}",
                country_code="US", region_state="NJ",
            )
            for n in range(count)
        )  # fmt: skip
        debtors = list(Debtor.objects.filter(email__endswith="@example.org"))
        owed = {
            "creditor": factories.creditor(),
            "original_balance": 9,
            "current_balance": 9,
            "currency_code": "USD",
            "placement_date": NOON.date(),
        }
        debts = Debt.objects.bulk_create(Debt(debtor=debtor, **owed) for debtor in debtors)
        texts = {"template": factories.template(communication_type="sms", subject=None), "communication_type": "sms"}
        CommunicationLog.objects.bulk_create(
            log
            for debt in debts
            for log in (
                CommunicationLog(debtor=debt.debtor, debt=debt, due_at=NOON, **texts),
                CommunicationLog(
                    debtor=debt.debtor, debt=debt, communication_type="voice", status="sent", sent_at=NOON
                ),
            )
        )
        stopped = [debtor.mobile_phone for debtor in debtors[::3]]
        ContactPoint.objects.filter(value__any_of=stopped).update(opted_out_at=NOON)
        return list(CommunicationLog.objects.filter(status="queued").select_related("debtor", "debt", "template"))

    @staticmethod
    def decide(logs):
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            decided = may_go.decide_claimed(logs, now=NOON)
        return len(queries.captured_queries), [decision for _, decision in decided]

    @pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.deep)])
    def test_many_messages_cost_no_more_queries_than_ten(self, count):
        factories.template(is_validation_notice=True)
        logs, _ = self.waiting(count), policies.current()
        (few, _), (many, decisions) = self.decide(logs[:10]), self.decide(logs)

        assert many == few <= 15
        assert len(decisions) == count
        refused = [one for one in decisions if ReasonCode.SUPPRESSED in {reason.code for reason in one.reasons}]
        assert len(refused) == len(range(0, count, 3))
        assert all(one.verdict == Verdict.DENY for one in decisions)  # None has consent.
        assert ContactDecision.objects.count() == 10 + count


def test_nothing_is_decided_on_a_message_that_another_worker_claimed():
    queue()
    assert outbox.claim(channel=Channel.EMAIL, now=NOON, limit=1, lease=timedelta(seconds=60))

    assert drain().statuses == {}
    assert not ContactDecision.objects.exists()


def test_two_messages_of_one_batch_share_the_slots():
    debt = factories.debt(debtor=american())
    at = NOON.replace(hour=17)
    for n in range(5):
        sent(debt, at=at - timedelta(hours=n + 1), channel="voice")
    template = factories.template(communication_type="call_script", subject=None)
    for _ in range(3):
        queue(debt=debt, channel="call_script", template=template)

    assert drain(at).statuses == {"sent": 2, "postponed": 1}


def test_a_claim_holds_its_slot_until_its_lease_is_over():
    debt = factories.debt(debtor=american())
    voice = factories.template(communication_type="voice", subject=None)
    first, second = (queue(debt=debt, channel="voice", template=voice) for _ in range(2))

    def contacts(moment):
        (found,) = may_go.gate_inputs([second], now=moment)
        return [(contact.address, contact.attempted) for contact in found.facts.history]

    assert contacts(NOON) == []
    assert outbox.claim(channel=Channel.VOICE, now=NOON, limit=1, lease=timedelta(seconds=60))
    assert contacts(NOON) == [(first.debtor.mobile_phone, True)]
    assert contacts(NOON + timedelta(seconds=60)) == []
