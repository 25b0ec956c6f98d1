"""A phone or an address in another spelling is the same one: for replies, opt-outs, bounces and call tasks."""

from datetime import timedelta

import pytest
from django.test import Client

from collection.models import Debt
from communications.callbacks import replies
from communications.channels.events import InboundMessage
from communications.models import CommunicationLog
from contact import addresses
from debtors import contact_points
from debtors.channels import AddressKind
from debtors.models import ContactPoint
from tests import factories
from tests.communications.callbacks.posting import SECRET, basic, post
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db

PAIRS = [
    ("+525512345678", "+5215512345678"), ("+447400123456", "+4407400123456"), ("+5511981234567", "+551181234567"),
    ("+5491123456789", "+541123456789"),
]  # fmt: skip
PAIRS += [(other, one) for one, other in PAIRS]
#: Daytime in Mexico and in Europe.
DAYTIME = NOON + timedelta(hours=6)
IDN, PUNYCODE = "ann@bücher.example", "ann@xn--bcher-kva.example"


def reply(address: str, body: str, number: str = "SM1") -> CommunicationLog:
    received = InboundMessage(channel="sms", provider="twilio", provider_message_id=number, address=address, body=body)
    message = replies.receive(received, now=DAYTIME + timedelta(seconds=int(number.removeprefix("SM"))))
    assert message is not None
    return message


def handed_over(debt: Debt, channel: str) -> CommunicationLog:
    """A message with the address that a dispatch writes."""
    return CommunicationLog.objects.create(
        debtor=debt.debtor, debt=debt, communication_type=channel, status="sent", sent_at=NOON,
        address=addresses.recipient(debt.debtor, channel),
    )  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_a_stop_from_the_other_spelling_ends_messages_and_is_filed_under_the_debtor(theirs: str, ours: str):
    debtor = factories.debtor(mobile_phone=ours)
    debt = factories.debt(debtor=debtor)
    outbound = handed_over(debt, "sms")

    message = reply(theirs, "STOP")

    assert (message.debtor, message.in_reply_to) == (debtor, outbound)
    assert queue(debt=debt, channel="sms").status == "blocked"
    assert ContactPoint.objects.filter(kind="phone").count() == 1


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_a_start_from_the_other_spelling_opts_in_again(theirs: str, ours: str):
    debtor = factories.debtor(mobile_phone=ours)
    reply(ours, "STOP")
    assert addresses.is_suppressed(debtor, "sms")

    reply(theirs, "START", "SM2")

    assert not addresses.is_suppressed(debtor, "sms")


def test_messages_go_to_the_plans_spelling(twilio):
    queue(debt=factories.debt(debtor=factories.debtor(mobile_phone="+4407400123456")), channel="sms")
    drain(DAYTIME)
    assert [order.fields["To"] for order in twilio.orders] == ["+447400123456"]
    assert CommunicationLog.objects.get().address == "+447400123456"


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_a_wrong_number_in_the_other_spelling_withdraws_open_calls(theirs: str, ours: str):
    debt = factories.debt(debtor=factories.debtor(mobile_phone=ours))
    handed_over(debt, "call_script")
    factories.suppress(theirs, channel="voice", reason="wrong_number")
    assert CommunicationLog.objects.get().outcome == "not_called"


@pytest.mark.parametrize("ours", [IDN, "Ann@BÜCHER.example", PUNYCODE])
@pytest.mark.parametrize("theirs", [PUNYCODE, "ANN@XN--BCHER-KVA.example", IDN])
def test_a_bounce_that_names_the_domain_in_another_spelling_suppresses_the_address(settings, ours: str, theirs: str):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    debt = factories.debt(debtor=factories.debtor(email=ours))
    bounced = {
        "RecordType": "Bounce", "MessageID": "unknown", "ID": 1, "Type": "HardBounce", "Email": theirs, "Recipient": theirs,
        "BouncedAt": "2026-01-14T12:00:05Z", "Details": "550",
    }  # fmt: skip

    assert post(Client(), "/callbacks/email/postmark/tracking", bounced, **basic()).status_code == 200

    assert queue(debt=debt).status == "blocked"
    assert ContactPoint.objects.filter(kind="email").count() == 1


def test_the_owner_of_an_address_is_found_by_any_spelling():
    debtor = factories.debtor(email=IDN, mobile_phone="+5215512345678")
    assert contact_points.owner(PUNYCODE, AddressKind.EMAIL) == debtor
    assert contact_points.owner("+525512345678", AddressKind.PHONE) == debtor
