"""Contact points: the history of a debtor's addresses, their suppression and consent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from debtors import contact_points, debtors
from debtors.channels import AddressKind, Channel
from debtors.models import ContactPoint, Debtor, SuppressionReason
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EMAIL, PHONE = "zoe@example.com", "+447400123456"


def history(debtor: Debtor) -> list[tuple[str, str]]:
    return [(point.kind, point.value) for point in debtor.contact_points.order_by("created_at", "kind", "value")]


def suppress(value: str = PHONE, channel: Channel = Channel.SMS, **fields: Any) -> bool:
    fields = {"reason": SuppressionReason.OPTED_OUT, "source": "Reply: STOP", "now": NOON} | fields
    return contact_points.suppress(value, channel=channel, **fields)


def opt_in(value: str = PHONE, channel: Channel = Channel.SMS, at: datetime = NOON + HOUR) -> bool:
    return contact_points.opt_in(value, channel=channel, source="Reply: START", now=at)


def suppressed(value: str = PHONE) -> set[Channel]:
    kind = AddressKind.EMAIL if "@" in value else AddressKind.PHONE
    channels = [channel for channel in Channel if channel.address_kind == kind]
    return {channel for channel, _ in contact_points.suppressed({channel: {value} for channel in channels})}


class TestHistory:
    def test_a_new_debtor_has_a_point_for_each_address_in_its_normal_form(self) -> None:
        debtor = factories.debtor(email=" Zoe@Example.com", mobile_phone=PHONE)
        assert history(debtor) == [("email", EMAIL), ("phone", PHONE)]
        assert {point.created_at for point in debtor.contact_points.all()} == {debtor.created_at}

    def test_a_debtor_without_a_phone_has_one_point(self) -> None:
        assert len(history(factories.debtor(mobile_phone=None))) == 1

    def test_changes_add_points_and_take_none_away(self) -> None:
        debtor = factories.debtor(email=EMAIL, mobile_phone=PHONE)
        debtor = debtors.amend(debtor, today=NOON.date(), email="zoe@work.example")
        debtor = debtors.amend(debtor, today=NOON.date(), mobile_phone="07400 654321", first_name="Zoe")
        debtor = debtors.amend(debtor, today=NOON.date(), mobile_phone=None)
        assert history(debtor) == [
            ("email", EMAIL), ("phone", PHONE), ("email", "zoe@work.example"), ("phone", "+447400654321"),
        ]  # fmt: skip

    def test_a_change_that_leaves_the_address_adds_nothing(self) -> None:
        debtor = factories.debtor(email=EMAIL, mobile_phone=PHONE)
        debtor = debtors.amend(debtor, today=NOON.date(), email="ZOE@example.com", city="Leeds")
        assert len(history(debtor)) == 2

    def test_an_address_that_comes_back_keeps_its_first_point(self) -> None:
        debtor = factories.debtor(email=EMAIL)
        first = debtor.contact_points.get(value=EMAIL)
        for email in ("zoe@work.example", EMAIL):
            debtor = debtors.amend(debtor, today=NOON.date(), email=email)
        assert debtor.contact_points.get(value=EMAIL) == first
        assert debtor.contact_points.filter(kind="email").count() == 2

    def test_rows_that_are_written_in_bulk_or_in_sql_have_points_too(self) -> None:
        Debtor.objects.bulk_create([Debtor(legal_entity=f"No. {n}", email=f"{n}@example.com") for n in range(3)])
        with connection.cursor() as cursor:
            cursor.execute("UPDATE debtor SET email = 'new-' || email, normal_email = 'new-' || normal_email")
        assert set(ContactPoint.objects.values_list("value", flat=True)) == {
            *(f"{n}@example.com" for n in range(3)), *(f"new-{n}@example.com" for n in range(3)),
        }  # fmt: skip

    def test_the_owner_is_who_has_the_address_now_else_who_had_it_last(self) -> None:
        first = factories.debtor(email=EMAIL, mobile_phone=PHONE)
        assert contact_points.owner(" ZOE@example.com", AddressKind.EMAIL) == first
        first = debtors.amend(first, today=NOON.date(), email="old@example.com", mobile_phone=None)
        assert contact_points.owner(PHONE, AddressKind.PHONE) == first
        second = factories.debtor(mobile_phone=PHONE)
        assert contact_points.owner(PHONE, AddressKind.PHONE) == second
        debtors.amend(second, today=NOON.date(), mobile_phone=None)
        assert contact_points.owner(PHONE, AddressKind.PHONE) == second
        assert contact_points.owner("+447400999999", AddressKind.PHONE) is None


class TestDeletion:
    def test_a_deleted_debtors_points_are_deleted_except_suppressed_ones(self) -> None:
        debtor = factories.debtor(email=EMAIL, mobile_phone=PHONE)
        suppress()
        debtors.delete(debtor)
        assert [(point.value, point.debtor) for point in ContactPoint.objects.all()] == [(PHONE, None)]
        factories.debtor(mobile_phone=PHONE)
        assert suppressed() == {Channel.SMS, Channel.VOICE}

    def test_a_debtor_with_debts_keeps_the_points(self) -> None:
        debtor = factories.debt().debtor
        with pytest.raises(debtors.HasDebts):
            debtors.delete(debtor)
        assert len(history(debtor)) == 2


class TestSuppression:
    @pytest.mark.parametrize(
        ("value", "channel", "reason", "channels"),
        [
            (EMAIL, Channel.EMAIL, SuppressionReason.OPTED_OUT, {Channel.EMAIL}),
            (EMAIL, Channel.EMAIL, SuppressionReason.BOUNCED, {Channel.EMAIL}),
            (EMAIL, Channel.EMAIL, SuppressionReason.COMPLAINED, {Channel.EMAIL}),
            (PHONE, Channel.SMS, SuppressionReason.OPTED_OUT, {Channel.SMS, Channel.VOICE}),
            (PHONE, Channel.SMS, SuppressionReason.BOUNCED, {Channel.SMS}),
            (PHONE, Channel.VOICE, SuppressionReason.OPTED_OUT, {Channel.VOICE, Channel.CALL_SCRIPT}),
            (PHONE, Channel.CALL_SCRIPT, SuppressionReason.OPTED_OUT, {Channel.VOICE, Channel.CALL_SCRIPT}),
            # A failed call does not affect text messages.
            (PHONE, Channel.VOICE, SuppressionReason.BOUNCED, {Channel.VOICE, Channel.CALL_SCRIPT}),
            (PHONE, Channel.SMS, SuppressionReason.WRONG_NUMBER, {Channel.SMS, Channel.VOICE, Channel.CALL_SCRIPT}),
            (PHONE, Channel.VOICE, SuppressionReason.WRONG_NUMBER, {Channel.SMS, Channel.VOICE, Channel.CALL_SCRIPT}),
        ],
    )
    def test_a_reason_suppresses_the_channels_that_it_is_about(
        self, value: str, channel: Channel, reason: SuppressionReason, channels: set[Channel]
    ) -> None:
        assert suppress(value, channel, reason=reason) is True
        assert suppressed(value) == channels
        assert suppress(value, channel, reason=reason, now=NOON + HOUR) is False, "it is suppressed already"

    def test_it_applies_to_every_debtor_with_the_address_now_and_later(self) -> None:
        first = factories.debtor(mobile_phone=PHONE)
        debtors.amend(first, today=NOON.date(), mobile_phone=None)
        second = factories.debtor(mobile_phone=PHONE)
        suppress()
        assert {point.debtor for point in ContactPoint.objects.filter(messages_suppressed=True)} == {first, second}

    def test_the_first_time_and_source_stay_and_bounces_are_counted(self) -> None:
        factories.debtor(email=EMAIL)
        for hour in range(3):
            suppress(
                EMAIL, Channel.EMAIL, reason=SuppressionReason.BOUNCED, source=f"No. {hour}", now=NOON + hour * HOUR
            )
        point = ContactPoint.objects.get(value=EMAIL)
        assert (point.bounces, point.bounced_at, point.bounced_source) == (3, NOON, "No. 0")

    def test_a_long_source_is_cut(self) -> None:
        suppress(source="x" * 300)
        assert ContactPoint.objects.get().opted_out_source == "x" * 255

    @pytest.mark.parametrize("in_order", [True, False])
    def test_of_an_opt_out_and_an_opt_in_the_later_one_is_in_force(self, in_order: bool) -> None:
        factories.debtor(mobile_phone=PHONE)
        steps: list[Callable[[], bool]] = [suppress, opt_in]
        for step in steps if in_order else reversed(steps):
            step()
        assert suppressed() == set()
        assert suppress(now=NOON + 2 * HOUR) is True
        assert suppressed() == {Channel.SMS, Channel.VOICE}
        assert ContactPoint.objects.get(value=PHONE).suppressions == ["opted out"]

    def test_an_opt_out_and_an_opt_in_of_one_moment_leave_it_suppressed(self) -> None:
        suppress()
        assert opt_in(at=NOON) is False
        assert suppressed() == {Channel.SMS, Channel.VOICE}

    def test_an_opt_in_takes_back_only_an_opt_out_of_its_channel(self) -> None:
        for channel in (Channel.SMS, Channel.VOICE):
            suppress(channel=channel)
        suppress(reason=SuppressionReason.WRONG_NUMBER)
        assert opt_in() is True
        assert ContactPoint.objects.get().suppressions == ["no calls", "wrong number"]

    def test_a_reactivated_address_is_used_again_by_every_channel(self) -> None:
        factories.debtor(mobile_phone=PHONE)
        for reason in SuppressionReason:
            for channel in (Channel.SMS, Channel.VOICE):
                suppress(channel=channel, reason=reason)
        contact_points.reactivate(ContactPoint.objects.get(value=PHONE), source="A call", now=NOON + HOUR)
        assert suppressed() == set()
        assert ContactPoint.objects.get(value=PHONE).opted_in_source == "A call"

    def test_other_addresses_and_no_addresses_are_not_suppressed(self) -> None:
        suppress()
        assert contact_points.suppressed({}) == set()
        assert contact_points.suppressed({Channel.SMS: {"+447400654321"}, Channel.EMAIL: {PHONE}}) == set()


class TestOwnership:
    def test_the_first_proof_of_ownership_is_kept(self) -> None:
        debtor = factories.debtor(mobile_phone=PHONE)
        for at in (NOON, NOON + HOUR):
            contact_points.verify(debtor, kind=AddressKind.PHONE, value=PHONE, now=at)
        assert debtor.contact_points.get(value=PHONE).verified_at == NOON


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [(" Zoe@Example.com ", AddressKind.EMAIL, EMAIL), ("+44 7400 123456", AddressKind.PHONE, PHONE)],
)
def test_an_address_that_a_person_enters_gets_its_normal_form(text: str, kind: AddressKind, value: str) -> None:
    assert contact_points.parse(text, kind, field="value") == value


def test_the_time_of_a_point_is_that_of_the_change() -> None:
    before = now()
    debtor = debtors.amend(factories.debtor(), today=NOON.date(), email=EMAIL)
    assert before <= debtor.contact_points.get(value=EMAIL).created_at <= now()
