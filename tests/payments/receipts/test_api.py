"""Receipts, credits and refunds over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from payments import posting
from payments.models import Credit, IdempotencyKey, Payment, Receipt, Refund
from tests import factories
from tests.conftest import Api
from tests.payments.receipts.makers import TODAY, balance, no_difference, receipt

pytestmark = pytest.mark.django_db

BODY = {
    "source": "bank",
    "provider": "Trust account",
    "providerId": "L-1",
    "amount": 130,
    "currencyCode": "GBP",
    "reference": "Invoice INV-10 0001",
    "payerName": "Ann Payer",
    "payerAccount": "GB33BUKB20201555555555",
    "valueDate": "2026-01-20",
}


def test_a_receipt_is_recorded_and_booked_by_its_reference(api: Api):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    answer = api.post("/receipts", BODY)
    assert answer.status_code == 201, answer.content
    found = answer.json()
    expected = {name: value for name, value in BODY.items() if name != "amount"}
    assert found | expected | {"amount": "130.00", "openAmount": "0.00", "status": "allocated"} == found
    assert (found["suspenseReason"], found["suspenseText"], found["originalCreditor"]) == (None, None, None)
    first, second = found["allocations"]
    assert (first["kind"], first["amount"], first["debtId"]) == ("payment", "100.00", str(debt.pk))
    assert (second["kind"], second["amount"], second["why"]) == ("credit", "30.00", "Same reference")
    assert api.get(f"/receipts/{found['id']}").json() == found
    (listed,) = api.get("/receipts").json()["data"]
    assert listed == {name: value for name, value in found.items() if name != "allocations"}
    assert no_difference()


def test_the_same_receipt_again_adds_nothing_and_another_one_with_its_id_is_refused(api: Api):
    first = api.post("/receipts", BODY)
    again = api.post("/receipts", BODY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    refused = api.post("/receipts", BODY | {"amount": 131})
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["field"] == "providerId"
    assert Receipt.objects.count() == 1


def test_receipts_by_status(api: Api):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    waits = api.post("/receipts", BODY | {"reference": "?"}).json()
    done = api.post("/receipts", BODY | {"providerId": "L-2"}).json()
    assert (waits["status"], waits["suspenseReason"]) == ("suspense", "unknown")
    assert waits["suspenseText"] == "No debt has this reference"
    for status, expected in (("suspense", waits), ("allocated", done)):
        (listed,) = api.get(f"/receipts?status={status}").json()["data"]
        assert listed["id"] == expected["id"]
    assert api.get("/receipts?status=x").status_code == 422
    assert balance(debt) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "chargeback"}, "source"),
        ({"source": None}, "source"),
        ({"amount": 0}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"currencyCode": "XXX"}, "currencyCode"),
        ({"valueDate": "1800-01-01"}, "valueDate"),
        ({"valueDate": "2100-01-01"}, "valueDate"),
        ({"originalCreditor": "Nobody Ltd"}, "originalCreditor"),
        ({"referense": "x"}, "referense"),
    ],
)
def test_a_wrong_field_is_named(api: Api, change: dict[str, Any], field: str):
    body = {**BODY, **change}
    if field == "referense":
        del body["reference"]
    answer = api.post("/receipts", body)
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["field"] == field
    assert not Receipt.objects.exists()


def test_proposals_say_why(api: Api):
    debtor = factories.debtor(first_name="Ann", last_name="Payer")
    debt = factories.debt(debtor=debtor, balance="100", external_reference="INV-100001")
    factories.debt(balance="130")
    came = api.post("/receipts", BODY | {"reference": "Payer", "amount": 100}).json()
    (proposal,) = api.get(f"/receipts/{came['id']}/proposals").json()["data"]
    assert (proposal["debtId"], proposal["reasons"]) == (str(debt.pk), ["same name", "same amount"])
    assert (proposal["score"], proposal["currentBalance"], proposal["debtorName"]) == (40, "100.00", str(debtor))


def test_an_agent_books_parts_and_a_supervisor_undoes_one(api: Api):
    one, two = factories.debt(balance="100"), factories.debt(balance="50")
    came = receipt(120)
    url = f"/receipts/{came.pk}/allocations"
    body = [{"debtId": str(one.pk), "amount": 70}, {"debtId": str(two.pk), "amount": "20.00", "kind": "credit"}]
    answer = api.post(url, body)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["openAmount"], answer.json()["status"]) == ("30.00", "suspense")
    refused = api.post(url, [{"debtId": str(one.pk), "amount": 31}])
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "amount")
    first = answer.json()["allocations"][0]["id"]
    undone = api.post(f"{url}/{first}/reverse")
    assert undone.status_code == 200, undone.content
    assert undone.json()["openAmount"] == "100.00"
    assert undone.json()["allocations"][-1]["reverses"] == first
    assert api.post(f"{url}/{first}/reverse").status_code == 409
    assert (balance(one), balance(two)) == (100, 50)
    assert no_difference()


@pytest.mark.parametrize("body", [{}, [], [{}], ["x"], [{"debtId": "x", "amount": 1}], [None], [{"amount": 1}] * 101])
def test_a_list_of_parts_that_is_none_is_refused(api: Api, body: Any):
    assert api.post(f"/receipts/{receipt(5).pk}/allocations", body).status_code == 422


def test_a_credit_is_applied_and_refunded_by_two_people(api: Api, api_as: Any):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    api.post("/receipts", BODY)
    (credit,) = api.get(f"/credits?debtor_id={debt.debtor_id}").json()["data"]
    assert (credit["amount"], credit["originalCreditor"]) == ("30.00", debt.creditor.name)
    assert api.get(f"/credits?debtor_id={factories.debtor().pk}").json()["data"] == []
    other = factories.debt(debtor=debt.debtor, balance="10")
    url = f"/credits/{credit['id']}"
    paid = api.post(f"{url}/apply", {"debtId": str(other.pk), "amount": 10})
    assert (paid.status_code, paid.json()["amount"], balance(other)) == (201, "10.00", 0)
    assert api.post(f"{url}/apply", {"debtId": str(other.pk), "amount": 21}).status_code == 422
    refund = api.post(f"{url}/refund", {"amount": 20, "reason": "Asked for it"})
    assert (refund.status_code, refund.json()["payerName"], refund.json()["status"]) == (201, "Ann Payer", "proposed")
    assert api.get(url).json()["amount"] == "0.00"
    assert [one["kind"] for one in api.get(url).json()["entries"]] == ["refund", "applied", "receipt"]
    step = f"/refunds/{refund.json()['id']}"
    assert api.put(f"{step}/approve").status_code == 403
    second = api_as(factories.agent())
    approved = second.put(f"{step}/approve", {"note": "Fine"})
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert second.put(f"{step}/reject", {"note": "No"}).status_code == 409
    assert [one["id"] for one in api.get("/refunds?status=approved").json()["data"]] == [refund.json()["id"]]
    assert api.get("/refunds?status=proposed").json()["data"] == []
    assert no_difference()


def test_money_in_suspense_is_refunded(api: Api):
    came = receipt(5)
    refund = api.post(f"/receipts/{came.pk}/refund", {"amount": 5, "reason": "Not ours"})
    assert refund.status_code == 201
    assert api.put(f"/refunds/{refund.json()['id']}/reject", {}).status_code == 422
    assert api.put(f"/refunds/{refund.json()['id']}/reject", {"note": "Ours"}).json()["status"] == "rejected"
    assert no_difference()


def test_an_overpayment_is_refused_unless_the_body_asks_for_credit(api: Api):
    debt = factories.debt(balance="50")
    body = {"debtId": str(debt.pk), "amount": 70, "processorTxnId": "T-1"}
    for refused in (body, body | {"overpayment": "refuse"}, body | {"overpayment": None}):
        answer = api.post("/payments", refused)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "amount")
    answer = api.post("/payments", body | {"overpayment": "credit"})
    assert (answer.status_code, answer.json()["amount"]) == (201, "50.00")
    assert "overpayment" not in answer.json()
    assert api.post("/payments", body | {"overpayment": "credit"}).status_code == 409
    assert api.post("/payments", body | {"overpayment": "x"}).status_code == 422
    assert api.get("/credits").json()["data"][0]["amount"] == "20.00"
    assert no_difference()


def test_an_overpayment_with_a_key_is_recorded_once(api: Api):
    debt = factories.debt(balance="50")
    body = {"debtId": str(debt.pk), "amount": 70, "overpayment": "credit"}
    header = {"Idempotency-Key": "k1"}
    first, again = (api.post("/payments", body, **header) for _ in range(2))
    assert first.json() == again.json()
    assert (Payment.objects.count(), Receipt.objects.count(), Credit.objects.count()) == (1, 1, 1)
    assert IdempotencyKey.objects.count() == 1
    assert not Refund.objects.exists()


def test_the_debtors_direction_of_a_payment_and_of_a_part_of_a_receipt(api: Api):
    british, german = (
        factories.debt(debtor=factories.debtor(country_code=country), balance="100") for country in ("GB", "DE")
    )
    paid = api.post("/payments", {"debtId": str(british.pk), "amount": 10, "allocation": ["costs", "principal"]})
    assert (paid.status_code, paid.json()["allocation"]) == (201, ["costs", "principal"])
    assert api.get("/payments").json()["data"][0]["allocation"] == ["costs", "principal"]
    body = {"debtId": str(german.pk), "amount": 10, "allocation": ["principal"]}
    came = receipt(50)
    for refused in (api.post("/payments", body), api.post(f"/receipts/{came.pk}/allocations", [body])):
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "allocation"
        assert "§ 367" in refused.json()["detail"]
    made = api.post(f"/receipts/{came.pk}/allocations", [body | {"debtId": str(british.pk)}])
    assert made.status_code == 201, made.content
    assert Payment.objects.get(pk=made.json()["allocations"][0]["paymentId"]).allocation == ["principal"]
    wrong = api.post("/payments", {"debtId": str(british.pk), "amount": 10, "allocation": ["capital"]})
    assert wrong.status_code == 422


def test_a_receipt_shows_what_of_its_payment_was_charged_back(api: Api):
    debt = factories.debt(balance="100", external_reference="INV-100001")
    came = receipt(130, "INV-100001")
    paid, credit = api.get(f"/receipts/{came.pk}").json()["allocations"]
    assert (paid["refundedAmount"], paid["chargedBackAt"], credit["refundedAmount"]) == ("0.00", None, None)
    assert api.post(f"/payments/{paid['paymentId']}/chargeback", {"amount": 40}).status_code == 201
    paid, _ = api.get(f"/receipts/{came.pk}").json()["allocations"]
    assert (paid["amount"], paid["refundedAmount"], balance(debt)) == ("100.00", "40.00", 40)
    assert paid["chargedBackAt"]


def test_a_refund_of_a_payment_is_proposed(api: Api):
    payment = posting.record(debt=factories.debt(balance="100"), amount=Decimal(60), by=None, today=TODAY)
    made = api.post(f"/payments/{payment.pk}/refund", {"amount": 20, "reason": "Paid twice."})
    assert made.status_code == 201, made.content
    found = made.json()
    assert (found["paymentId"], found["receiptId"], found["amount"]) == (str(payment.pk), None, "20.00")
    assert (found["status"], found["payerName"]) == ("proposed", None)
    assert api.put(f"/refunds/{found['id']}/approve").status_code == 403
    assert api.get(f"/refunds/{found['id']}").json() == found
    assert balance(payment.debt) == 40
    assert no_difference()
