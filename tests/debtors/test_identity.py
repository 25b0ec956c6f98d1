"""Who is the same debtor, over the API, in the back office and at the portal's sign-in."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.utils import timezone

from debtors import debtors
from debtors.models import Debtor
from portal import otp
from tests import factories
from tests.conftest import Api
from tests.portal.conftest import code_of
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db

PERSON = {"firstName": "Ann", "lastName": "Doe", "email": "ann@example.com"}
PHONES = [
    ("+5215512345678", "+525512345678"), ("+4407400123456", "+447400123456"), ("+4901761234567", "+491761234567"),
    ("+551181234567", "+5511981234567"),
]  # fmt: skip
BOTH_WAYS = [*PHONES, *((right, wrong) for wrong, right in PHONES)]
EMAILS = [("ann@bücher.example", "Ann@xn--bcher-kva.example"), ("ann@example.com", "ANN@Example.COM")]


def create(api: Api, **fields: Any) -> Any:
    return api.post("/debtors", PERSON | fields)


@pytest.mark.parametrize(("given", "right"), PHONES)
def test_a_phone_is_shown_as_it_was_given_and_tells_that_the_plan_does_not_know_it_so(api: Api, given: str, right: str):
    answer = create(api, mobilePhone=given).json()
    assert (answer["mobilePhone"], answer["mobilePhoneValid"]) == (given, False)
    shown = api.put(f"/debtors/{answer['id']}", {"mobilePhone": right}).json()
    assert (shown["mobilePhone"], shown["mobilePhoneValid"]) == (right, True)
    listed = api.get("/debtors").json()["data"][0]
    assert (listed["mobilePhone"], listed["mobilePhoneValid"]) == (right, True)


@pytest.mark.parametrize(("one", "other"), BOTH_WAYS)
def test_no_second_debtor_has_a_phone_in_another_spelling(api: Api, one: str, other: str):
    assert create(api, mobilePhone=one).status_code == 201
    refused = create(api, mobilePhone=other, email="bob@example.com")
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "database.unique")
    assert refused.json()["errors"][0]["field"] == "mobilePhone"
    assert Debtor.objects.count() == 1


@pytest.mark.parametrize(("one", "other"), [*EMAILS, *((other, one) for one, other in EMAILS)])
def test_no_second_debtor_has_an_address_in_another_spelling(api: Api, one: str, other: str):
    assert create(api, email=one).json()["email"] == one
    refused = create(api, email=other)
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "database.unique")
    assert Debtor.objects.count() == 1


@pytest.mark.parametrize(
    "email", ["a..b@docomo.ne.jp", ".x.@ezweb.ne.jp", "ünal@example.com", "ann@" + "ü" * 60 + ".example"]
)
def test_an_address_that_mail_servers_refuse_is_refused(api: Api, email: str):
    refused = create(api, email=email)
    assert refused.status_code == 422
    assert [(error["field"], error["rule"]) for error in refused.json()["errors"]] == [("email", "email")]
    assert not Debtor.objects.exists()


@pytest.mark.parametrize("pasted", ["+44\ufe0d7400123456", "\u202a+447400123456\u202c", "+44\u00ad7400\u200b123456"])
def test_invisible_characters_in_a_phone_are_left_out(api: Api, pasted: str):
    answer = create(api, mobilePhone=pasted)
    assert (answer.status_code, answer.json()["mobilePhone"]) == (201, "+447400123456")


@pytest.mark.parametrize("name", [{"firstName": "Suharto"}, {"lastName": "Sukarno"}])
def test_a_person_may_have_one_name(api: Api, name: dict[str, str]):
    answer = api.post("/debtors", {"email": "one@example.com", **name})
    assert answer.status_code == 201, answer.content
    assert Debtor.objects.get().name == next(iter(name.values()))
    cleared = api.put(f"/debtors/{answer.json()['id']}", dict.fromkeys(name))
    assert (cleared.status_code, cleared.json()["errors"][0]["rule"]) == (422, "required")


@pytest.mark.parametrize("name", ["first_name", "last_name"])
def test_the_back_office_takes_a_person_with_one_name(client: Any, name: str):
    client.force_login(factories.agent("Supervisor"))
    page = admin.site._registry[Debtor]
    request = RequestFactory().get("/")
    request.user = factories.agent("Supervisor")
    form: Any = page.get_form(request)({name: "Suharto", "email": "one@example.com"})
    assert form.is_valid(), form.errors
    assert debtors.create(**form.cleaned_data, today=TODAY).name == "Suharto"


@pytest.mark.parametrize(("one", "other"), BOTH_WAYS)
def test_a_code_for_one_spelling_signs_in_by_the_other(one: str, other: str):
    debtor = factories.debtor(mobile_phone=one)
    session = otp.request(other, client_ip="192.0.2.1", now=timezone.now())
    otp.answer(clock=timezone.now)
    session.refresh_from_db()
    assert session.debtor == debtor

    used = otp.verify(one, code_of(session), client_ip="192.0.2.1", now=timezone.now())
    assert otp.sign_in(used, now=timezone.now()).debtor == debtor
    assert debtor.contact_points.get(kind="phone").verified_at is not None


@pytest.mark.parametrize(("one", "other"), EMAILS)
def test_a_code_by_mail_signs_in_by_any_spelling(one: str, other: str):
    debtor = factories.debtor(email=one)
    session = otp.request(other, client_ip="192.0.2.1", now=timezone.now())
    otp.answer(clock=timezone.now)
    assert otp.verify(one, code_of(session), client_ip="192.0.2.1", now=timezone.now()).debtor == debtor


def test_another_spelling_of_the_same_phone_ends_no_token_and_another_phone_does():
    debtor = factories.debtor(mobile_phone="+5215512345678")
    debtor = debtors.amend(debtor, today=TODAY, mobile_phone="+525512345678")
    assert (debtor.token_version, debtor.contact_points.filter(kind="phone").count()) == (1, 1)
    assert debtors.amend(debtor, today=TODAY, mobile_phone="+525512345679").token_version == 2


@pytest.mark.parametrize("write", ["create", "bulk_create", "update", "update_fields"])
def test_each_way_of_writing_a_debtor_writes_the_normal_forms(write: str):
    fields = {"email": "Ann@Bücher.example", "mobile_phone": "+5215512345678"}
    if write == "create":
        factories.debtor(**fields)
    elif write == "bulk_create":
        Debtor.objects.bulk_create([Debtor(legal_entity="X", **fields)])
    elif write == "update":
        factories.debtor()
        Debtor.objects.update(**fields)
    else:
        debtor = factories.debtor()
        debtor.email, debtor.mobile_phone = fields["email"], fields["mobile_phone"]
        debtor.save(update_fields=["email", "mobile_phone"])
    debtor = Debtor.objects.get()
    assert (debtor.email, debtor.mobile_phone) == (fields["email"], fields["mobile_phone"])
    assert (debtor.normal_email, debtor.normal_phone) == ("ann@xn--bcher-kva.example", "+525512345678")


@pytest.mark.parametrize("words", ["Ann Lee", "ann  lee", "Ann\u00a0Lee", "A\u200bnn Lee", "\uff21nn Lee"])
@pytest.mark.parametrize("name", ["Ann Lee", "Ann\u00a0Lee", "Ann  Lee", "Ann\u2003Lee\u200b", "A\u00adnn Lee"])
def test_spaces_and_invisible_characters_in_a_name_hide_nobody_from_a_search(api: Api, name: str, words: str):
    factories.debtor(first_name=name, last_name="Doe")
    factories.debtor(first_name="Anna", last_name="Lee")
    assert [found["firstName"] for found in api.get(f"/debtors?search={quote(words)}").json()["data"]] == [name]
