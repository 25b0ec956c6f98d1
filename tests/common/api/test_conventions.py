"""Conventions of the whole API, tested on debtors, debts and payments."""

import uuid
from typing import Any

import pytest

from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

JOHN: dict[str, Any] = {
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "mobilePhone": "+1234567890",
    "legalEntity": "ABC Corp",
    "dob": "1980-01-15",
    "addressLine1": "123 Main St",
    "addressLine2": "Apt 4B",
    "city": "London",
    "regionState": "Greater London",
    "postalCode": "SW1A 1AA",
    "countryCode": "GB",
    "languagePreference": "English",
}


def rules(answer: Any) -> list[tuple[str | None, str]]:
    body = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert body["detail"] == body["message"]
    assert body["status"] == answer.status_code
    return [(error["field"], error["rule"]) for error in body.get("errors", [])]


def test_a_debtor_is_answered_as_it_was_given_with_what_follows(api: Api):
    answer = api.post("/debtors", JOHN)
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in JOHN} == {**JOHN, "languagePreference": "en"}
    assert (body["languageName"], body["timeZone"], body["mobilePhoneValid"]) == ("English", "Europe/London", False)
    assert uuid.UUID(body["id"]).version == 7
    assert body["createdAt"].endswith("Z")
    assert len(body["createdAt"]) == len("2026-01-31T08:00:00.000Z")


def test_an_answer_may_be_sent_back(api: Api):
    debt = factories.debt(p2p_score="0.5", external_reference="R")
    for path in (f"/debtors/{debt.debtor_id}", f"/debts/{debt.pk}"):
        read = api.get(path).json()
        answer = api.put(path, read)
        assert answer.status_code == 200, answer.content
        assert "X-Ignored-Fields" not in answer.headers
        changed = {"updatedAt"}
        again = api.get(path).json()
        same = {k: v for k, v in read.items() if k not in changed and not isinstance(v, list | dict)}
        assert {k: again[k] for k in same} == same


def test_unknown_fields_are_ignored_and_named(api: Api):
    answer = api.post("/debtors", {**JOHN, "nonsense": 1, "id": "x", "createdAt": "y"})
    assert answer.status_code == 201
    assert answer["X-Ignored-Fields"] == "nonsense"


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"email": None}, ("email", "required")),
        ({"email": ""}, ("email", "required")),
        ({"email": "no address"}, ("email", "email")),
        ({"firstName": "x" * 101}, ("firstName", "maxLength")),
        ({"firstName": 5}, ("firstName", "string")),
        ({"city": "x" * 256}, ("city", "maxLength")),
        ({"city": "a\x00b"}, ("city", "regex")),
        ({"dob": "2999-01-01"}, ("dob", "date")),
        ({"dob": "15.01.1980"}, ("dob", "date")),
        ({"countryCode": "XX"}, ("countryCode", "enum")),
        ({"languagePreference": "Klingonese"}, ("languagePreference", "enum")),
        ({"mobilePhone": "0"}, ("mobilePhone", "regex")),
        ({"firstName": "", "lastName": "", "legalEntity": ""}, ("firstName", "required")),
    ],
)
def test_an_invalid_field_is_named_with_the_violated_rule(api: Api, change: dict[str, Any], refused: tuple[str, str]):
    answer = api.post("/debtors", {**JOHN, **change})
    assert answer.status_code == 422, answer.content
    assert rules(answer) == [refused]
    assert api.get("/debtors").json()["meta"]["total"] == 0


def test_email_is_unique_in_any_case_and_so_is_a_given_phone(api: Api):
    api.post("/debtors", JOHN)
    again = api.post("/debtors", {**JOHN, "email": "JOHN.DOE@example.com", "mobilePhone": None})
    assert (again.status_code, rules(again)) == (422, [("email", "database.unique")])
    again = api.post("/debtors", {**JOHN, "email": "other@example.com"})
    assert (again.status_code, rules(again)) == (422, [("mobilePhone", "database.unique")])
    assert api.get("/debtors").json()["meta"]["total"] == 1


def test_a_local_phone_is_normalised_for_the_debtors_country(api: Api):
    body = api.post("/debtors", {**JOHN, "mobilePhone": "07400 123456"}).json()
    assert (body["mobilePhone"], body["mobilePhoneValid"]) == ("+447400123456", True)


@pytest.mark.parametrize(
    ("given", "code", "name"),
    [("pt-br", "pt-BR", "Brazilian Portuguese"), ("german", "de", "German"), ("de", "de", "German")],
)
def test_a_language_is_given_by_code_or_name(api: Api, given: str, code: str, name: str):
    body = api.post("/debtors", {**JOHN, "languagePreference": given}).json()
    assert (body["languagePreference"], body["languageName"]) == (code, name)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b'{"email": NaN}', b"[" * 200_000, b'{"a":' * 40 + b"1" + b"}" * 40, b"\xff"]
)
def test_invalid_json_is_400(api: Api, body: bytes):
    answer = api.client.post("/debtors", data=body, content_type="application/json", headers=api.headers)
    assert answer.status_code == 400
    assert rules(answer) == []


def test_a_body_that_is_not_an_object_is_422(api: Api):
    assert api.post("/debtors", []).status_code == 422


def test_another_content_type_is_415(api: Api):
    answer = api.client.post(
        "/debtors", data="a=b", content_type="application/x-www-form-urlencoded", headers=api.headers
    )
    assert answer.status_code == 415


def test_a_body_over_one_mebibyte_is_413(api: Api):
    answer = api.post("/debtors", {"x": "y" * 1_048_576})
    assert answer.status_code == 413


def test_a_slash_at_the_end_is_the_same_path(api: Api):
    assert api.get("/debtors/").json() == api.get("/debtors").json()
    answer = api.post("/debtors/", JOHN)
    assert answer.status_code == 201
    assert api.get(f"/debtors/{answer.json()['id']}/").status_code == 200


def test_an_id_in_any_case_and_a_404_where_it_is_none(api: Api):
    debtor = factories.debtor()
    assert api.get(f"/debtors/{str(debtor.pk).upper()}").status_code == 200
    for path in (f"/debtors/{uuid.uuid4()}", "/debtors/5", "/nothing", "/debtors/x/debts"):
        answer = api.get(path)
        assert (answer.status_code, rules(answer)) == (404, [])


def test_a_client_that_wants_plain_json_gets_it(api: Api):
    assert api.get("/nothing", Accept="application/json")["Content-Type"] == "application/json"
    both = api.get("/nothing", Accept="application/json, application/problem+json")
    assert both["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["page=0", "page=x", "limit=0", "limit=1001", "page=1.5", "page=-1", "limit=%00"])
def test_a_page_out_of_range_is_422(api: Api, query: str):
    answer = api.get(f"/debtors?{query}")
    assert answer.status_code == 422
    assert [field for field, _ in rules(answer)] == [query.split("=")[0]]


def test_pages_follow_one_another_newest_first(api: Api):
    debtors = [str(factories.debtor().pk) for _ in range(5)]
    seen, url = [], "/debtors?limit=2"
    while url:
        body = api.get(url).json()
        seen += [row["id"] for row in body["data"]]
        url = body["meta"]["nextPageUrl"]
    assert seen == debtors[::-1]
    past = api.get("/debtors?limit=2&page=9").json()
    assert past["data"] == []
    assert past["meta"] == {
        "total": 5,
        "perPage": 2,
        "currentPage": 9,
        "lastPage": 3,
        "firstPage": 1,
        "firstPageUrl": "/debtors?limit=2&page=1",
        "lastPageUrl": "/debtors?limit=2&page=3",
        "nextPageUrl": None,
        "previousPageUrl": "/debtors?limit=2&page=8",
    }


def test_an_empty_filter_is_absent_an_unknown_one_ignored_and_an_impossible_one_refused(api: Api):
    factories.debt()
    for query in ("status=", "nonsense=1", "debtor_id=", ""):
        assert api.get(f"/debts?{query}").json()["meta"]["total"] == 1
    for query, rule in (("status=bogus", "enum"), ("debtor_id=5", "uuid")):
        answer = api.get(f"/debts?{query}")
        assert (answer.status_code, rules(answer)) == (422, [(query.split("=")[0], rule)])
    answer = api.get("/debtors?country_code=XX")
    assert (answer.status_code, rules(answer)) == (422, [("country_code", "enum")])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("josé", True), ("JOSE", True), ("jose alvarez", True), ("varez", True), ("j.alv", True), ("Acme%", True),
        ("Acme_", False), ("100%", True), ("alvarez j.alv", False), ("\\", False), ("%", True), ("_", False),
    ],
)  # fmt: skip
def test_search_ignores_case_and_accents_and_takes_wildcards_plainly(api: Api, words: str, found: bool):
    factories.debtor(first_name="José", last_name="Álvarez", email="j.alv@example.com", legal_entity="Acme% 100%")
    body = api.client.get("/debtors", {"search": words}, headers=api.headers).json()
    assert body["meta"]["total"] == found


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ("500.001", "range"), ("1e3", "number"), ("1_000", "number"), ("١٢", "number"), ("", "required"),
        (True, "number"), (None, "required"), (0, "range"), (-1, "range"), ("10000000000000000", "range"), ([], "number"),
    ],
)  # fmt: skip
def test_an_invalid_amount_is_refused(api: Api, given: Any, refused: str):
    debt = factories.debt()
    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": given})
    assert (answer.status_code, rules(answer)) == (422, [("amount", refused)])


@pytest.mark.parametrize(
    ("given", "answered"), [(b"0.1", "0.10"), (b'"0.10"', "0.10"), (b"1e2", "100.00"), (b"0.1e1", "1.00")]
)
def test_an_amount_is_read_as_a_decimal(api: Api, given: bytes, answered: str):
    debt = factories.debt()
    body = b'{"debtId": "%s", "amount": %s}' % (str(debt.pk).encode(), given)
    answer = api.client.post("/payments", data=body, content_type="application/json", headers=api.headers)
    assert answer.status_code == 201, answer.content
    assert answer.json()["amount"] == answered


@pytest.mark.parametrize(
    ("currency", "shown"), [("gbp", "5000.00"), ("JPY", "5000"), ("KWD", "5000.000"), ("CLF", "5000.0000")]
)
def test_an_amount_is_written_with_its_currencys_decimals(api: Api, currency: str, shown: str):
    body = {
        "debtorId": str(factories.debtor().pk),
        "originalCreditor": "A",
        "currencyCode": currency,
        "originalBalance": 5000,
    }
    answer = api.post("/debts", body).json()
    assert (answer["originalBalance"], answer["currencyCode"]) == (shown, currency.upper())


def test_a_reference_to_nothing_is_422_on_its_field(api: Api):
    answer = api.post("/payments", {"debtId": str(uuid.uuid4()), "amount": 5})
    assert (answer.status_code, rules(answer)) == (422, [("debtId", "database.exists")])
    answer = api.post("/payments", {"debtId": "5", "amount": 5})
    assert (answer.status_code, rules(answer)) == (422, [("debtId", "uuid")])


def test_an_anonymous_caller_is_asked_to_sign_in(anonymous: Api):
    answer = anonymous.get("/debtors")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert rules(answer) == []


def test_null_brings_a_default_back(api: Api):
    debtor = str(factories.debtor().pk)
    nothing = {
        "currencyCode": None,
        "currentStatus": None,
        "placementDate": None,
        "currentBalance": None,
        "dueDate": "",
    }
    debt = api.post("/debts", {"debtorId": debtor, "originalCreditor": "A", "originalBalance": 5, **nothing}).json()
    assert (debt["currencyCode"], debt["currentStatus"], debt["currentBalance"]) == ("USD", "active", "5.00")
    body = {
        "debtId": debt["id"],
        "amount": 1,
        "paymentMethod": None,
        "status": "",
        "processorTxnId": "",
        "paymentDate": "",
    }
    payment = api.post("/payments", body).json()
    assert (payment["paymentMethod"], payment["status"], payment["processorTxnId"]) == ("other", "completed", None)
    segment = api.post("/segments", {"name": "S", "priority": None, "isActive": None}).json()
    assert (segment["priority"], segment["isActive"]) == (100, True)
    assert api.put(f"/debts/{debt['id']}", {"currentBalance": None}).json()["currentBalance"] == "5.00"
