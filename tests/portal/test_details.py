"""Debtors change how they are reached, stop messages, send a budget, and read payments and messages again."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from arrangements.models import ArrangementPolicy
from casework.models import SupportRequest
from collection.models import Hold
from communications.models import CommunicationLog
from communications.outbox import may_go, outbox
from communications.sending import worker
from communications.texts import one_time_code
from contact.models import ContactPreference
from debtors.models import ContactPoint, Debtor
from payments import posting
from portal import otp
from portal.models import AddressChange, Budget
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def put(api: Api, **values: Any) -> Any:
    answer = api.put("/debtors/me/details", values)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_address_and_language_change_at_once_and_phone_and_mail_do_not(debtor: Debtor, mine: Api):
    shown = put(mine, city="Leeds", postalCode="LS1 1AA", languagePreference="German", email="x@y.example")

    assert (shown["city"], shown["postalCode"], shown["languagePreference"]) == ("Leeds", "LS1 1AA", "de")
    assert shown["email"] == debtor.email
    debtor.refresh_from_db()
    assert debtor.city == "Leeds"
    assert mine.get("/debtors/me/details").json() == shown


def test_one_put_stops_all_messages_but_codes_and_another_starts_them_again(debtor: Debtor, mine: Api):
    assert put(mine, messagesStopped=True)["messagesStopped"] is True

    def verdict(**values: Any) -> str:
        message = outbox.new(debtor=debtor, channel="sms", body="Hi", **values)
        return str(may_go.ask(message, now=now()).verdict)

    assert verdict() == "deny"
    otp.request(str(debtor.mobile_phone), client_ip=None, now=now())
    otp.answer(clock=now)
    assert CommunicationLog.objects.get(purpose="code").status == "queued"
    shown = put(mine, messagesStopped=False)
    assert (shown["messagesStopped"], shown["refusedChannels"]) == (False, [])
    assert not ContactPreference.objects.active().exists()


def test_channels_and_times_are_preferences_that_replace_earlier_ones(debtor: Debtor, mine: Api):
    put(mine, refusedChannels=["sms", "voice"], notBefore="17:00", notAfter="19:30", weekdays=[1, 2])
    shown = put(mine, refusedChannels=["sms"], weekdays=[5])

    assert (shown["refusedChannels"], shown["messagesStopped"]) == (["sms"], False)
    assert (shown["notBefore"], shown["notAfter"], shown["weekdays"]) == ("17:00", "19:30", [5])
    assert ContactPreference.objects.active().count() == 2
    for values, field in (
        ({"notAfter": None}, "notAfter"),
        ({"notBefore": "20:00"}, "closes"),
        ({"notBefore": "25:00"}, "notBefore"),
        ({"weekdays": [8]}, "weekdays.0"),
        ({"messagesStopped": "maybe"}, "messagesStopped"),
        ({"refusedChannels": ["fax"]}, "refusedChannels.0"),
    ):
        refused = mine.put("/debtors/me/details", values)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), values
    shown = put(mine, notBefore=None, notAfter=None, weekdays=[])
    assert shown["notBefore"] is None
    assert ContactPreference.objects.active().count() == 1


def ask(api: Api, **values: str) -> AddressChange:
    answer = api.post("/debtors/me/details/address-changes", values)
    assert answer.status_code == 201, answer.content
    return AddressChange.objects.get(pk=answer.json()["id"])


def confirm(api: Api, change: AddressChange, code: str | None = None) -> Any:
    path = f"/debtors/me/details/address-changes/{change.pk}/confirm"
    return api.post(path, {"otpCode": code or one_time_code.derive(change.pk)})


def test_a_phone_changes_after_a_code_that_went_to_the_new_one(debtor: Debtor, mine: Api):
    before = debtor.mobile_phone
    change = ask(mine, mobilePhone="+447700900999")

    message = CommunicationLog.objects.get()
    assert (message.address, message.purpose, message.debtor) == ("+447700900999", "code", debtor)
    debtor.refresh_from_db()
    assert debtor.mobile_phone == before
    answer = confirm(mine, change)

    assert answer.status_code == 200, answer.content
    assert answer.json()["mobilePhone"] == "+447700900999"
    assert ContactPoint.objects.get(value="+447700900999").verified_at is not None
    assert mine.get("/debtors/me/profile").status_code == 401
    assert Api(answer.json()["token"]).get("/debtors/me/profile").json()["mobilePhone"] == "+447700900999"


def test_a_worker_sends_the_code_to_the_new_address(debtor: Debtor, mine: Api, mailoutbox: list[Any]):
    change = ask(mine, email="New@Mail.example")

    worker.drain(clock=now)

    (mail,) = mailoutbox
    assert mail.to == ["New@Mail.example"]
    assert one_time_code.derive(change.pk) in mail.body
    sent = CommunicationLog.objects.get()
    assert sent.status == "sent"
    assert one_time_code.derive(change.pk) not in sent.body


def test_an_email_changes_and_a_code_works_once_and_for_its_debtor(debtor: Debtor, mine: Api, api_of: Any):
    change = ask(mine, email="New@Mail.example")
    other = api_of(factories.debtor())

    assert confirm(other, change).status_code == 404
    answer = confirm(mine, change)
    assert answer.json()["email"] == "New@Mail.example"
    assert confirm(Api(answer.json()["token"]), change).status_code == 422


def test_wrong_codes_are_counted_and_a_new_code_ends_the_one_before(debtor: Debtor, mine: Api):
    change = ask(mine, email="new@mail.example")
    wrong = "1" * 6 if one_time_code.derive(change.pk) != "1" * 6 else "2" * 6

    for malformed in ("١٢٣٤٥٦", "x", "12 34 56"):
        assert confirm(mine, change, malformed).json()["errors"][0]["field"] == "otpCode"
    for _ in range(otp.MAX_TRIES):
        assert confirm(mine, change, wrong).json()["errors"][0]["field"] == "otpCode"
    assert confirm(mine, change).status_code == 422
    first, second = ask(mine, email="b@mail.example"), ask(mine, email="c@mail.example")
    assert confirm(mine, first).status_code == 422
    assert mine.post("/debtors/me/details/address-changes", {"email": "d@mail.example"}).status_code == 429
    assert confirm(mine, second).status_code == 200


def test_the_address_of_another_debtor_is_only_refused_to_who_reads_its_codes(debtor: Debtor, mine: Api):
    other = factories.debtor()

    change = ask(mine, email=str(other.email))
    refused = confirm(mine, change)

    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "database.unique")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"mobilePhone": "abc"}, "mobilePhone"),
        ({"email": "abc"}, "email"),
        ({}, "mobilePhone"),
        ({"mobilePhone": "+447700900999", "email": "a@b.example"}, "mobilePhone"),
    ],
)
def test_an_address_that_is_none_is_refused(mine: Api, values: dict[str, str], field: str):
    refused = mine.post("/debtors/me/details/address-changes", values)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert not AddressChange.objects.exists()


def test_a_suppressed_new_address_gets_no_code(mine: Api):
    factories.suppress("stopped@mail.example")

    ask(mine, email="stopped@mail.example")

    assert CommunicationLog.objects.get().status == "blocked"


BUDGET = {
    "currencyCode": "GBP",
    "income": {"wages": 1500, "benefits": "350.00"},
    "essentials": {"housing": 900, "food": 400, "energy": 190},
}


def test_half_of_what_a_budget_leaves_is_offered(mine: Api):
    body = mine.post("/debtors/me/budget", BUDGET).json()

    assert (body["totalIncome"], body["totalEssentials"]) == ("1850.00", "1490.00")
    assert (body["leftOver"], body["offered"], body["percent"], body["advice"]) == ("360.00", "180.00", "50.00", [])
    assert not Hold.objects.exists()


def test_the_policy_sets_the_share(debtor: Debtor, mine: Api):
    debt = factories.debt(debtor=debtor)
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, budget_percent=40)
    assert mine.post("/debtors/me/budget", BUDGET).json()["offered"] == "144.00"

    ArrangementPolicy.objects.create(currency_code="GBP", version=1, creditor=debt.creditor, budget_percent=25)
    assert mine.post("/debtors/me/budget", BUDGET).json()["offered"] == "90.00"


def test_a_budget_that_leaves_nothing_opens_a_hold_and_names_advice(debtor: Debtor, mine: Api):
    essentials = BUDGET["essentials"] | {"children": 400}
    body = mine.post("/debtors/me/budget", BUDGET | {"essentials": essentials}).json()

    assert (body["leftOver"], body["offered"]) == ("-40.00", "0.00")
    assert body["advice"][0]["name"] == "MoneyHelper"
    assert Hold.objects.get().reason == "hardship"
    assert "-40.00 GBP" in SupportRequest.objects.get().text
    assert mine.post("/debtors/me/budget", BUDGET | {"essentials": essentials}).status_code == 201
    assert SupportRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"income": {}}, "income"),
        ({"income": {"wages": -1}}, "income.wages"),
        ({"income": {"wages": "1.001"}}, "wages"),
        ({"essentials": {"food": 10**9}}, "food"),
        ({"currencyCode": "XXX"}, "currencyCode"),
    ],
)
def test_an_amount_that_is_none_is_refused(mine: Api, change: dict[str, Any], field: str):
    refused = mine.post("/debtors/me/budget", BUDGET | change)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert not Budget.objects.exists()


def test_a_debtor_sees_payments_the_payoff_and_the_messages_that_went(debtor: Debtor, mine: Api):
    debt = factories.debt(debtor=debtor, balance=1000)
    posting.record(debt=debt, amount=Decimal(100), by=None, today=now().date())
    posting.record(debt=factories.debt(), amount=Decimal(7), by=None, today=now().date())
    sent = CommunicationLog.objects.create(
        debtor=debtor, communication_type="email", status="delivered", subject="Hi", body="Text", sent_at=now()
    )
    for values in ({"status": "blocked"}, {"status": "sent", "communication_type": "call_script"}):
        CommunicationLog.objects.create(**{"debtor": debtor, "communication_type": "email", **values})

    assert [one["amount"] for one in mine.get("/debtors/me/payments").json()["data"]] == ["100.00"]
    assert mine.get(f"/debtors/me/payoff?debt_id={debt.pk}").json()["payoffAmount"] == "900.00"
    assert mine.get("/debtors/me/payoff").status_code == 422
    assert mine.get(f"/debtors/me/payoff?debt_id={factories.debt().pk}").status_code == 422
    assert [one["id"] for one in mine.get("/debtors/me/messages").json()["data"]] == [str(sent.pk)]
    assert mine.get(f"/debtors/me/messages/{sent.pk}").json()["body"] == "Text"
