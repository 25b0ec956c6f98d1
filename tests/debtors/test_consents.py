"""Consent of one debtor, by one channel, at one address: how it is given, confirmed and ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ddc.common.errors import Forbidden
from debtors import consents, contact_points, debtors, phones
from debtors.channels import AddressKind, Channel
from debtors.models import Consent, ContactPoint, Debtor, SuppressionReason
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PHONE, EMAIL = "+12015550123", "zoe@example.com"


def point_of(debtor: Debtor, kind: str = "phone") -> ContactPoint:
    return debtor.contact_points.get(kind=kind)


def record(point: ContactPoint, *channels: Channel, given_at: datetime = NOON, **fields: Any) -> list[Consent]:
    usual: dict[str, Any] = {
        "basis": "debtor",
        "scope": "",
        "text": "Yes",
        "source": "A call",
        "by": factories.agent("Agent"),
        "now": NOON,
    }
    return consents.record(point, channels=channels, given_at=given_at, **usual | fields)


def given(debtor: Debtor, address: str = PHONE) -> dict[str, consents.Given]:
    found = consents.in_force({debtor.pk}, {address})
    return {channel: its for (_, channel, _), its in found.items()}


class TestGiving:
    def test_a_consent_is_to_the_channels_that_were_named(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        record(point_of(debtor), Channel.SMS, given_at=NOON - DAY)
        assert given(debtor) == {"sms": consents.Given(NOON - DAY, NOON - DAY, "debtor")}

    def test_the_newest_counts_and_all_are_kept(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        for days, basis in ((9, "creditor"), (2, "debtor"), (5, "portal")):
            record(point_of(debtor), Channel.SMS, given_at=NOON - days * DAY, basis=basis)
        assert given(debtor)["sms"] == consents.Given(NOON - 2 * DAY, NOON - 2 * DAY, "debtor")
        assert Consent.objects.count() == 3

    def test_a_number_that_moves_to_another_debtor_starts_without(self) -> None:
        # 12 CFR 1006.6(d)(5)(ii): the consent of who had the number is not that of who has it now.
        former = factories.debtor(mobile_phone=PHONE)
        record(point_of(former), Channel.SMS, Channel.VOICE)
        debtors.amend(former, today=NOON.date(), mobile_phone=None)
        heir = factories.debtor(mobile_phone=PHONE)
        assert given(heir) == {}
        record(point_of(heir), Channel.SMS)
        assert set(given(heir)) == {"sms"}

    def test_what_cannot_be_is_refused_and_nothing_is_kept(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        with pytest.raises(consents.ConsentInFuture):
            record(point_of(debtor), Channel.SMS, given_at=NOON + HOUR)
        with pytest.raises(consents.ChannelNotOfAddress):
            record(point_of(debtor), Channel.SMS, Channel.EMAIL)
        with pytest.raises(consents.ChannelNotOfAddress):
            record(point_of(debtor))
        with pytest.raises(Forbidden):
            record(point_of(debtor), Channel.SMS, by=factories.agent("Auditor"))
        with pytest.raises(consents.NotTheDebtorsAddress):
            record(ContactPoint.objects.create(kind="phone", value="+12015550199"), Channel.SMS)
        assert not Consent.objects.exists()

    def test_start_from_another_phone_is_no_consent(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        consents.record_reply(debtor, phone="+12015550199", channel=Channel.SMS, text="START", source="", now=NOON)
        assert not Consent.objects.exists()


class TestEnding:
    @pytest.mark.parametrize(
        ("stop_on", "left"),
        [
            # 47 CFR 64.1200(a)(10): STOP to a text ends consent to calls by machine too, not to those by people.
            (Channel.SMS, {"call_script"}),
            (Channel.VOICE, {"sms"}),
        ],
    )
    def test_an_opt_out_at_the_address_ends_earlier_consents(self, stop_on: Channel, left: set[str]) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        record(point_of(debtor), Channel.SMS, Channel.VOICE, Channel.CALL_SCRIPT, given_at=NOON - DAY)
        reason = SuppressionReason.OPTED_OUT
        contact_points.suppress(PHONE, channel=stop_on, reason=reason, source="STOP", now=NOON)
        assert set(given(debtor)) == left

    def test_after_an_opt_in_the_earlier_consent_stays_ended(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        record(point_of(debtor), Channel.SMS, given_at=NOON - DAY)
        reason = SuppressionReason.OPTED_OUT
        contact_points.suppress(PHONE, channel=Channel.SMS, reason=reason, source="STOP", now=NOON)
        contact_points.opt_in(PHONE, channel=Channel.SMS, source="START", now=NOON + HOUR)
        assert given(debtor) == {}
        consents.record_reply(debtor, phone=PHONE, channel=Channel.SMS, text="START", source="", now=NOON + HOUR)
        assert given(debtor)["sms"].given_at == NOON + HOUR


class TestConfirming:
    def test_use_and_checks_confirm_it_and_never_move_back(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        record(point_of(debtor), Channel.SMS, given_at=NOON - 90 * DAY)
        agent = factories.agent("Agent")

        def check(at: datetime) -> None:
            consents.record_number_check(
                point_of(debtor), is_reassigned=False, source="FCC", checked_at=at, by=agent, now=NOON
            )

        consents.record_use(debtor, phone=PHONE, now=NOON - 40 * DAY)
        assert given(debtor)["sms"].confirmed_at == NOON - 40 * DAY
        consents.record_use(debtor, phone=PHONE, now=NOON - 50 * DAY)
        check(NOON - 60 * DAY)
        assert given(debtor)["sms"].confirmed_at == NOON - 40 * DAY
        check(NOON - 10 * DAY)
        check(NOON - 20 * DAY)
        assert given(debtor)["sms"] == consents.Given(NOON - 90 * DAY, NOON - 10 * DAY, "debtor")

    @pytest.mark.parametrize(
        ("stored", "sender"),
        [
            ("+525512345678", "+5215512345678"),
            ("+5215512345678", "+525512345678"),
            ("+5491123456789", "+541123456789"),
            ("+5491123456789", "+5491123456789"),
        ],
    )
    def test_the_debtors_phone_is_known_in_every_spelling(self, stored: str, sender: str) -> None:
        debtor = factories.debtor(mobile_phone=stored)
        address = phones.normal_form(stored)
        consents.record_reply(debtor, phone=sender, channel=Channel.SMS, text="START", source="", now=NOON - DAY)
        consents.record_use(debtor, phone=sender, now=NOON)
        assert given(debtor, address)["sms"] == consents.Given(NOON - DAY, NOON, "reply")

    def test_a_check_is_of_a_debtors_phone_and_not_in_the_future(self) -> None:
        debtor, agent = factories.debtor(mobile_phone=PHONE, email=EMAIL), factories.agent("Agent")
        for point, at, refusal in (
            (point_of(debtor), NOON + HOUR, consents.CheckInFuture),
            (point_of(debtor, AddressKind.EMAIL), NOON, consents.ChannelNotOfAddress),
            (ContactPoint.objects.create(kind="phone", value="+12015550199"), NOON, consents.NotTheDebtorsAddress),
        ):
            with pytest.raises(refusal):
                consents.record_number_check(point, is_reassigned=True, source="", checked_at=at, by=agent, now=NOON)
        assert not ContactPoint.objects.filter(wrong_number_at__isnull=False).exists()


def test_any_number_of_debtors_costs_one_query() -> None:
    people = [factories.debtor() for _ in range(5)]
    for person in people:
        factories.consent(person, "sms", NOON)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = consents.in_force({p.pk for p in people}, {str(p.mobile_phone) for p in people})
    assert len(found) == 5
    assert len(queries) == 1
