"""Named cases of contact law, from recorded calls and messages to the decision on the next one."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from communications.calls import records
from communications.models import CommunicationLog
from communications.outbox import may_go, outbox
from contact.engine.decision import ReasonCode, Verdict
from debtors import debtors
from tests import factories
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db
EASTERN = ZoneInfo("America/New_York")
#: Noon in New Jersey, on Wednesday the 14th of January 2026.
NOON = datetime(2026, 1, 14, 12, tzinfo=EASTERN)


@pytest.fixture
def debt():
    return factories.debt(debtor=factories.debtor(country_code="US", region_state="NJ", mobile_phone="+12015550123"))


@pytest.fixture
def script(db):
    return factories.template(communication_type="call_script", subject=None)


@pytest.fixture
def caller(debt, script):
    """Call the debtor as agents do: send the call script, then record the outcome."""
    agent = factories.agent("Agent")

    def call(at, outcome):
        task = queue(debt=debt, channel="call_script", template=script, now=at)
        assert drain(at).statuses == {"sent": 1}
        CommunicationLog.objects.filter(pk=task.pk).update(begun_at=at, begun_by=agent)
        return records.finish(CommunicationLog.objects.get(pk=task.pk), outcome=outcome, notes=None, by=agent, now=at)

    return call


def next_call(debt, at):
    return asked(CommunicationLog(debtor=debt.debtor, debt=debt, communication_type="call_script"), at)


def asked(log, at):
    (found,) = may_go.gate_inputs([log], now=at)
    return found.decide(at)


def codes(decision):
    return {reason.code for reason in decision.reasons}


class TestCalls:
    @pytest.mark.parametrize(
        ("outcome", "counts"),
        [
            ("busy", False), ("out_service", False), ("not_called", False),
            ("voicemail", True), ("no_answer", True), ("answered", True), ("third_party", True),
        ],
    )  # fmt: skip
    def test_busy_does_not_count_and_voicemail_does(self, debt, caller, outcome, counts):
        for hours in range(6, 0, -1):
            caller(NOON - timedelta(days=1, minutes=hours), "no_answer")
        caller(NOON - timedelta(hours=1), outcome)

        decision = next_call(debt, NOON)
        assert codes(decision) == ({ReasonCode.TOO_MANY} if counts else set())
        if counts:
            assert [reason.section for reason in decision.reasons] == ["12 CFR 1006.14(b)(2)(i)(A)"]

    def test_seven_calls_from_wednesday_to_tuesday_leave_wednesday_free(self, debt, caller):
        for days in range(7, 0, -1):
            caller(NOON - timedelta(days=days), "voicemail")

        assert codes(next_call(debt, NOON - timedelta(days=1) + timedelta(hours=1))) == {ReasonCode.TOO_MANY}
        assert next_call(debt, NOON).verdict == Verdict.ALLOW

    @pytest.mark.parametrize("outcome", ["right_party", "promise", "refused"])
    def test_a_conversation_on_the_14th_blocks_to_the_20th_and_frees_the_21st(self, debt, caller, outcome):
        caller(NOON, outcome)

        last = next_call(debt, datetime(2026, 1, 20, 20, 59, 59, tzinfo=EASTERN))
        assert codes(last) == {ReasonCode.COOLING_OFF}
        assert last.until == datetime(2026, 1, 21, 8, tzinfo=EASTERN)
        assert next_call(debt, datetime(2026, 1, 21, 8, tzinfo=EASTERN)).verdict == Verdict.ALLOW

    @pytest.mark.parametrize("direction", ["inbound", "outbound"])
    def test_the_call_that_the_debtor_asked_for_is_allowed_once_and_for_seven_days(self, debt, direction):
        """12 CFR 1006.14(b)(3)(i): consent given in the last seven days. Without an attempt since then, one call is that one."""
        agent = factories.agent("Agent")
        called = {"debt": debt, "outcome": "call_back", "by": agent}
        records.record_call(debt.debtor, direction=direction, now=NOON, **called)
        for days, verdict in ((1, Verdict.ALLOW), (6, Verdict.ALLOW)):
            assert next_call(debt, NOON + timedelta(days=days)).verdict == verdict

        records.record_call(
            debt.debtor, direction="outbound", now=NOON + timedelta(days=1), **called | {"outcome": "no_answer"}
        )
        again = next_call(debt, NOON + timedelta(days=1, hours=1))
        assert codes(again) == {ReasonCode.COOLING_OFF}

    def test_an_inbound_conversation_starts_the_cooling_off_and_is_not_an_attempt(self, debt):
        agent = factories.agent("Agent")
        records.record_call(debt.debtor, direction="inbound", debt=debt, outcome="promise", by=agent, now=NOON)

        decision = next_call(debt, NOON + timedelta(days=1))
        assert codes(decision) == {ReasonCode.COOLING_OFF}
        assert decision.reasons[0].section == "12 CFR 1006.14(b)(2)(i)(B)"
        assert next_call(debt, NOON + timedelta(days=7)).verdict == Verdict.ALLOW

    def test_a_conversation_with_a_third_party_starts_no_cooling_off(self, debt, caller):
        caller(NOON, "third_party")

        assert next_call(debt, NOON + timedelta(hours=1)).verdict == Verdict.ALLOW


class TestClocks:
    @staticmethod
    def at(debtor, moment):
        return asked(
            CommunicationLog(debtor=debtor, debt=factories.debt(debtor=debtor), communication_type="email"), moment
        )

    def test_an_eastern_phone_with_a_pacific_address_is_open_from_11_to_21_eastern(self):
        debtor = factories.debtor(country_code="US", region_state="California", mobile_phone="+12125550123")
        clock = {
            (10, 59, 59): Verdict.POSTPONE, (11, 0, 0): Verdict.ALLOW,
            (20, 59, 59): Verdict.ALLOW, (21, 0, 0): Verdict.POSTPONE,
        }  # fmt: skip

        for (hour, minute, second), verdict in clock.items():
            moment = NOON.replace(hour=hour, minute=minute, second=second)
            assert self.at(debtor, moment).verdict == verdict, moment

    @pytest.mark.parametrize(
        ("where", "day", "opens_at"),
        [
            # Clocks go on and back: the day before, the day itself.
            (("US", "NJ", "America/New_York"), "2026-03-07", 13), (("US", "NJ", "America/New_York"), "2026-03-08", 12),
            (("US", "NJ", "America/New_York"), "2026-10-31", 12), (("US", "NJ", "America/New_York"), "2026-11-01", 13),
            (("GB", None, "Europe/London"), "2026-03-28", 8), (("GB", None, "Europe/London"), "2026-03-29", 7),
            (("GB", None, "Europe/London"), "2026-10-24", 7), (("GB", None, "Europe/London"), "2026-10-25", 8),
            # On weekends Australia opens at nine; in 2026 clocks go back on Easter Sunday, a holiday, so it is 2027's.
            (("AU", "ACT", "Australia/Sydney"), "2026-10-03", -1), (("AU", "ACT", "Australia/Sydney"), "2026-10-04", -2),
            (("AU", "ACT", "Australia/Sydney"), "2027-04-03", -2), (("AU", "ACT", "Australia/Sydney"), "2027-04-04", -1),
            # No clock is moved here.
            (("US", "HI", "Pacific/Honolulu"), "2026-03-08", 18), (("NP", None, "Asia/Kathmandu"), "2026-03-10", 3.25),
        ],
    )  # fmt: skip
    def test_the_window_follows_the_clock_on_the_wall_on_both_days(self, where, day, opens_at):
        country, region, zone = where
        debtor = factories.debtor(country_code=country, region_state=region, mobile_phone=None)
        night = datetime.combine(datetime.fromisoformat(day).date(), time(0, 30), ZoneInfo(zone))
        opens = datetime.combine(datetime.fromisoformat(day).date(), time(), UTC) + timedelta(hours=opens_at)

        assert self.at(debtor, night).until == opens
        assert self.at(debtor, opens - timedelta(seconds=1)).verdict == Verdict.POSTPONE
        assert self.at(debtor, opens).verdict == Verdict.ALLOW

    def test_arizona_is_open_when_both_phoenix_and_navajo_land_are(self):
        debtor = factories.debtor(country_code="US", region_state="AZ", mobile_phone=None)

        # In summer the Navajo Nation's clocks are an hour before Phoenix: 15:00 to 03:00 UTC, not to 04:00.
        assert self.at(debtor, datetime(2026, 7, 1, 14, 59, 59, tzinfo=UTC)).verdict == Verdict.POSTPONE
        assert self.at(debtor, datetime(2026, 7, 1, 15, tzinfo=UTC)).verdict == Verdict.ALLOW
        assert self.at(debtor, datetime(2026, 7, 2, 2, 59, 59, tzinfo=UTC)).verdict == Verdict.ALLOW
        assert self.at(debtor, datetime(2026, 7, 2, 3, tzinfo=UTC)).verdict == Verdict.POSTPONE

    def test_a_debtor_without_a_known_location_is_not_contacted(self):
        debtor = factories.debtor(country_code=None, mobile_phone=None)

        assert codes(self.at(debtor, NOON)) == {ReasonCode.LOCATION_UNKNOWN}


@pytest.mark.parametrize(("age", "ended"), [(60, "sent"), (61, "blocked")])
def test_consent_of_61_days_is_too_old_for_a_text(debt, age, ended):
    factories.consent(debt.debtor, "sms", NOON - timedelta(days=age))
    template = factories.template(communication_type="sms", subject=None)
    log = outbox.queue(debtor=debt.debtor, debt=debt, channel="sms", template=template, now=NOON)

    assert drain(NOON).statuses == {ended: 1}
    log.refresh_from_db()
    if ended == "blocked":
        assert log.failure_reason == "consent_too_old: The consent was not given, used or checked in the last 60 days."


@pytest.mark.parametrize(("channel", "ended"), [("sms", "blocked"), ("voice", "blocked")])
def test_a_number_that_moved_gets_nothing_on_the_former_owners_word(debt, channel, ended):
    # DB6: 12 CFR 1006.6(d)(5)(ii), 47 CFR 64.1200(a)(1)(iii): consent is that of the person called, not of the former owner.
    phone, template = debt.debtor.mobile_phone, factories.template(communication_type=channel, subject=None)
    factories.consent(debt.debtor, channel, NOON - timedelta(days=3))
    debtors.amend(debt.debtor, today=NOON.date(), mobile_phone=None)
    heir = factories.debt(debtor=factories.debtor(country_code="US", region_state="NJ", mobile_phone=phone))
    log = outbox.queue(debtor=heir.debtor, debt=heir, channel=channel, template=template, now=NOON)

    assert drain(NOON).statuses == {ended: 1}
    log.refresh_from_db()
    assert log.failure_reason.startswith("consent_missing: ")
    factories.consent(heir.debtor, channel, NOON - timedelta(days=3))
    outbox.queue(debtor=heir.debtor, debt=heir, channel=channel, template=template, now=NOON)
    assert drain(NOON).statuses == {"sent": 1}
