"""Cases of contact law that depend on where a person is. The answer of the law is beside each."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from communications.models import CommunicationLog
from communications.outbox import may_go
from contact.engine.decision import ReasonCode
from tests import factories

pytestmark = pytest.mark.django_db

#: A Wednesday, after the first day of New York City's rules.
DAY = (2026, 11, 18)
MA_CALLS, NYC_CONTACTS, NYC_CONSENT = "US-MA/calls", "US-NYC/contacts", "US-NYC/electronic-consent"


def at(zone: str, hour: int, minute: int = 0, day: tuple[int, int, int] = DAY) -> datetime:
    return datetime(*day, hour, minute, tzinfo=ZoneInfo(zone))


def decide(where, channel, now, *, earlier=0):
    """Decide on a contact after some calls to the same person about the same debt, one on each day before."""
    debt = factories.debt(debtor=factories.debtor(**{"mobile_phone": None} | where))
    for days in range(1, earlier + 1):
        CommunicationLog.objects.create(
            debtor=debt.debtor, debt=debt, communication_type="call_script", status="sent", outcome="no_answer", body="x",
            sent_at=now - timedelta(days=days),
        )  # fmt: skip
    log = CommunicationLog(debtor=debt.debtor, debt=debt, communication_type=channel)
    (found,) = may_go.gate_inputs([log], now=now)
    return found.decide(now)


def policies_of(decision):
    return {reason.policy for reason in decision.reasons}


def us(region=None, city=None, code=None, phone=None):
    return {"country_code": "US", "region_state": region, "city": city, "postal_code": code, "mobile_phone": phone}


class TestStates:
    @pytest.mark.parametrize(
        ("where", "is_massachusetts"),
        [
            # 209 CMR 18.16(1)(d), 940 CMR 7.04(1)(f): two calls in seven days, wherever the record says so.
            (us("MA", "Boston", "02115"), True),
            (us(None, "Boston", "02115"), True),  # 7
            (us(None, None, "02115"), True),
            (us("Massachusetts"), True),
            (us("Mass."), True),
            (us("US-MA"), True),
            (us("Commonwealth of Massachusetts"), True),
            # Nobody knows the state; it may be Massachusetts.
            (us(phone="+16175550123"), True),  # 9
            (us(), True),
            (us("Nowhere"), True),
            ({"mobile_phone": "+16175550123"}, True),
            # Not there: the seven calls of 12 CFR 1006.14(b)(2)(i)(A) only.
            (us("NJ", "Newark", "07102"), False),
            (us("NJ", phone="+12015550123"), False),
            (us(None, None, "07102"), False),
            ({"mobile_phone": "+12015550123"}, False),
            ({"country_code": "GB"}, False),
        ],
    )
    def test_the_third_call_in_a_week(self, where, is_massachusetts):
        decision = decide(where, "call_script", at("America/New_York", 15), earlier=2)
        assert (MA_CALLS in policies_of(decision)) == is_massachusetts

    @pytest.mark.parametrize(
        ("where", "is_the_city"),
        [
            # 6 RCNY 5-77(b): three contacts in seven days, and consent before e-mails, from 1 September 2026.
            (us("NY", "Flushing"), True),
            (us("NY", "Flushing", "11354"), True),
            (us("New York", "Long Island City"), True),
            (us("NY", "JAMAICA"), True),
            (us("NY", "Far Rockaway", "11691"), True),
            (us("NY", "New York", "10001"), True),
            (us("NY", "Brooklyn"), True),
            (us(None, None, "11201"), True),
            (us("NY", "Glen Oaks", "11004"), True),
            (us("NY", "Floral Park", "11005"), True),
            # The city or the code may be anywhere in the state.
            (us("NY"), True),
            (us("NY", "Floral Park"), True),
            # Nassau County is not in the city, nor is Buffalo.
            (us("NY", "Great Neck", "11021"), False),
            (us("NY", "Floral Park", "11001"), False),
            (us("NY", "New Hyde Park", "11040"), False),
            (us("NY", "Great Neck"), False),
            (us("NY", "Buffalo", "14202"), False),
            (us("NJ", "Brooklyn"), False),
            (us("CA", "Los Angeles", "90012"), False),
        ],
    )
    def test_the_fourth_contact_in_a_week_and_an_email_without_consent(self, where, is_the_city):
        now = at("America/New_York", 15)
        assert (NYC_CONTACTS in policies_of(decide(where, "call_script", now, earlier=3))) == is_the_city
        assert (NYC_CONSENT in policies_of(decide(where, "email", now))) == is_the_city


class TestHours:
    @pytest.mark.parametrize(
        ("where", "moment", "is_open"),
        [
            # 12 CFR 1006.6(b)(1)(i) and comment 6(b)(1)(i)-2: 8:00 to 21:00 in every place where the consumer may be.
            (us("TX", "Houston", "77002", "+19155550123"), at("America/Chicago", 21, 45), False),  # 71
            (us("TX", "Houston", "77002", "+19155550123"), at("America/Chicago", 20, 59), True),
            (us("TN", "Nashville", "37201", "+18655550123"), at("America/Chicago", 7, 15), False),  # 73
            (us("TN", "Nashville", "37201", "+18655550123"), at("America/Chicago", 8), True),
            (us("TX", "El Paso", "79901", "+12145550123"), at("America/Denver", 7, 15), False),  # 75
            (us("TX", "El Paso", "79901", "+12145550123"), at("America/Denver", 20, 15), False),
            (us("TX", "El Paso", "79901", "+12145550123"), at("America/Denver", 19, 59), True),
            (us("IN", "Gary", "46402", "+13175550123"), at("America/Chicago", 7, 15), False),  # 85
            (us("NY", "New York", "10001", "+16715550123"), at("America/New_York", 12), False),
            (us("HI", "Kahului", "96732", "+12125550123"), at("Pacific/Honolulu", 15, 30), True),  # 84
            (us("HI", "Kahului", "96732", "+12125550123"), at("Pacific/Honolulu", 16), False),
            # Only a place of its own time is left: Knoxville is not in the Central part of Tennessee.
            (us("TN", "Knoxville", "37902"), at("America/New_York", 8), True),
            (us("TN", "Nashville", "37201"), at("America/Chicago", 20, 59), True),
            (us("TN"), at("America/Chicago", 20, 59), False),
            (us("PR"), at("America/Puerto_Rico", 20, 59), True),
            ({"country_code": "PR"}, at("America/Puerto_Rico", 20, 59), True),
            (us("GU"), at("Pacific/Guam", 8), True),
            (us(None, None, "96910"), at("Pacific/Guam", 8), True),
            # ASIC RG 96 section 4: from 7:30 on working days. A mobile number says nothing about the place.
            (
                {"country_code": "AU", "region_state": "VIC", "city": "Melbourne", "mobile_phone": "+61412345678"},
                at("Australia/Melbourne", 9),  # 80
                True,
            ),
            # The agency's own window: 8:00.
            (
                {"country_code": "ES", "city": "Las Palmas", "mobile_phone": "+34612345678"},
                at("Atlantic/Canary", 7, 15),
                False,
            ),
            (
                {"country_code": "ES", "city": "Las Palmas", "mobile_phone": "+34612345678"},
                at("Atlantic/Canary", 10),
                True,
            ),
            (
                {"country_code": "RU", "city": "Vladivostok", "mobile_phone": "+79241234567"},
                at("Asia/Vladivostok", 7),
                False,
            ),
            (
                {"country_code": "ID", "postal_code": "99111", "mobile_phone": "+6281234567890"},
                at("Asia/Jayapura", 21, 30),
                False,
            ),
        ],
    )
    def test_every_place_where_the_person_may_be(self, where, moment, is_open):
        decision = decide(where, "call_script", moment)
        closed = {reason.code for reason in decision.reasons} & {ReasonCode.OUTSIDE_WINDOW, ReasonCode.NO_COMMON_WINDOW}
        assert (not closed) == is_open

    @pytest.mark.parametrize("where", [{}, {"mobile_phone": "+8816123456789"}])
    def test_nobody_knows_the_hour(self, where):
        decision = decide({"country_code": None} | where, "call_script", at("America/New_York", 15))
        assert ReasonCode.LOCATION_UNKNOWN in {reason.code for reason in decision.reasons}


class TestHolidays:
    @pytest.mark.parametrize(
        ("where", "is_holiday"),
        [
            # Corpus Christi: a holiday in Bavaria (Art. 1 FTG), not in Berlin; pack DE asks for none.
            ({"region_state": "BY"}, True),
            ({"region_state": "Bayern"}, True),  # 41
            ({"region_state": "Bavaria"}, True),
            ({"region_state": "Freistaat Bayern"}, True),
            ({"city": "München"}, True),
            ({"city": "Munich", "postal_code": "80331"}, True),
            ({"postal_code": "80331"}, True),
            ({}, True),
            ({"region_state": "Bajuwarien"}, True),
            ({"region_state": "Berlin"}, False),
            ({"city": "Berlin", "postal_code": "10115"}, False),
            ({"postal_code": "20095"}, False),
        ],
    )
    def test_a_land_keeps_its_own_in_every_spelling(self, where, is_holiday):
        moment = at("Europe/Berlin", 11, day=(2026, 6, 4))
        decision = decide({"country_code": "DE"} | where, "call_script", moment)
        assert (ReasonCode.PUBLIC_HOLIDAY in {reason.code for reason in decision.reasons}) == is_holiday
