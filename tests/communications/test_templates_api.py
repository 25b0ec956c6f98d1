"""Templates over HTTP."""

import uuid

import pytest

from communications.models import CommunicationTemplate
from communications.outbox import outbox
from communications.texts import templates
from ddc.common.api.rendering import camel
from strategy.models import StrategyRule
from tests import factories
from tests.communications.conftest import NOON
from tests.strategy import makers

pytestmark = pytest.mark.django_db

BODY = {
    "name": "first",
    "communicationType": "email",
    "subject": "Hi {{debtor_first_name}}",
    "body": "{{ debt_amount }}",
}


def rules(answer):
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


def test_a_template_is_created_read_changed_and_deleted(api):
    made = api.post("/communication-templates", BODY)

    assert made.status_code == 201
    assert made.json() | BODY == made.json()
    assert (made.json()["language"], made.json()["isActive"], made.json()["description"]) == ("en", True, None)
    path = f"/communication-templates/{made.json()['id']}"
    changed = api.put(path, {"isActive": False, "language": "German"})
    assert changed.status_code == 200
    assert api.get(path).json() == changed.json()
    assert (changed.json()["language"], changed.json()["isActive"]) == ("de", False)
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"subject": None}, "subject", "required"),
        ({"subject": " "}, "subject", "required"),
        ({"subject": "{{x}}"}, "subject", "placeholder"),
        ({"body": "a {{ b c }}"}, "body", "placeholder"),
        ({"body": "{{ open"}, "body", "placeholder"),
        ({"body": ""}, "body", "required"),
        ({"body": "x" * 100_001}, "body", "maxLength"),
        ({"body": "<div>" * 3_001}, "body", "maxLength"),
        ({"name": None}, "name", "required"),
        ({"name": "x" * 101}, "name", "maxLength"),
        ({"name": 5}, "name", "string"),
        ({"communicationType": "fax"}, "communicationType", "enum"),
        ({"language": "Klingonisch"}, "language", "enum"),
        ({"isActive": "yes"}, "isActive", "boolean"),
    ],
)
def test_an_invalid_field_is_refused_and_nothing_saved(api, change, field, rule):
    answer = api.post("/communication-templates", BODY | change)

    assert answer.status_code == 422
    assert rules(answer) == [(field, rule)]
    assert not CommunicationTemplate.objects.exists()


def test_a_change_is_validated_like_a_new_template(api):
    template = factories.template()
    path = f"/communication-templates/{template.pk}"

    assert rules(api.put(path, {"subject": None})) == [("subject", "required")]
    assert rules(api.put(path, {"body": "{{nope}}"})) == [("body", "placeholder")]
    template.refresh_from_db()
    assert "nope" not in template.body
    assert api.put(path, {"communicationType": "sms", "subject": None}).status_code == 200


def test_the_flags_for_the_contact_gate_are_saved(api):
    made = api.post("/communication-templates", BODY | {"isValidationNotice": True}).json()
    flags = ("isValidationNotice", "overshadows", "asksForPayment")
    assert [made[name] for name in flags] == [True, False, False]
    changed = api.put(f"/communication-templates/{made['id']}", {"asksForPayment": True, "isValidationNotice": None})
    assert [changed.json()[name] for name in flags] == [False, False, True]


def test_a_name_is_unique_per_language(api):
    api.post("/communication-templates", BODY)

    assert rules(api.post("/communication-templates", BODY)) == [("name", "database.unique")]
    assert api.post("/communication-templates", BODY | {"language": "de"}).status_code == 201
    assert CommunicationTemplate.objects.count() == 2


def test_a_template_in_use_is_not_deleted(api):
    template = factories.template()
    rule = StrategyRule.objects.create(
        name="r",
        segment=factories.segment(),
        template=template,
        channel="email",
        trigger=makers.due_after(1),
    )

    answer = api.delete(f"/communication-templates/{template.pk}")

    assert answer.status_code == 409
    assert CommunicationTemplate.objects.filter(pk=template.pk).exists()
    rule.delete()
    assert api.delete(f"/communication-templates/{template.pk}").status_code == 204


def test_a_template_of_a_message_is_not_deleted(api):
    template = factories.template()
    for _ in range(3):
        outbox.queue(debtor=factories.debtor(), channel="email", template=template, now=NOON)

    assert api.delete(f"/communication-templates/{template.pk}").status_code == 409
    assert CommunicationTemplate.objects.filter(pk=template.pk).exists()


def test_the_list_is_filtered_and_searched(api):
    factories.template(name="First_letter", description="For 100% of them")
    factories.template(name="FirstXletter", communication_type="sms", is_active=False)

    def found(query):
        return [row["name"] for row in api.get(f"/communication-templates?{query}").json()["data"]]

    assert found("communication_type=sms") == ["FirstXletter"]
    assert found("is_active=true") == ["First_letter"]
    assert found("search=first_LETTER") == ["First_letter"]
    assert found("search=100%25%20OF") == ["First_letter"]
    assert len(found("search=&is_active=&communication_type=")) == 2
    assert api.get("/communication-templates?is_active=1").status_code == 422
    assert api.get("/communication-templates?communication_type=fax").status_code == 422
    assert api.get("/communication-templates?search=%00").status_code == 422


def test_the_placeholders_are_listed(api):
    data = api.get("/communication-templates/placeholders").json()["data"]

    assert {"name", "description", "example"} == set(data[0])
    assert "debtor_first_name" in {entry["name"] for entry in data}


def variant(language, **values):
    return CommunicationTemplate(language=language, **values)


@pytest.mark.parametrize(
    ("wanted", "there", "chosen"),
    [
        ("de-AT", ["en", "de", "de-AT"], "de-AT"),
        ("de-at", ["en", "de-AT"], "de-AT"),
        ("de-CH", ["en", "de", "de-AT"], "de"),
        ("fr", ["de", "en"], "en"),
        ("fr", ["de", "es"], "de"),
        (None, ["de", "en"], "en"),
        ("fr", [], None),
    ],
)
def test_the_variant_of_the_nearest_language_is_chosen(wanted, there, chosen):
    variants = [variant(language, name="x") for language in there]

    found = templates.choose(variants, wanted)

    assert (found and found.language) == chosen


def test_an_inactive_variant_is_not_chosen():
    assert templates.choose([variant("de", is_active=False), variant("en")], "de").language == "en"


class TestProcess:
    path = "/communication-templates/process"

    def test_without_a_debtor_the_example_values_are_filled_in(self, api):
        template = factories.template(name="t", subject="S", body="Dear {{debtor_first_name}}")

        answer = api.post(self.path, {"template_name": "t"})

        assert answer.status_code == 200
        assert answer.json() == {
            "processed": 1,
            "results": [
                {
                    "templateId": str(template.pk),
                    "templateName": "t",
                    "communicationType": "email",
                    "subject": "S",
                    "body": "Dear John",
                    "status": "rendered",
                    "communicationLogId": None,
                    "reason": None,
                    "alphabet": None,
                    "segments": None,
                }
            ],
        }

    @pytest.mark.parametrize("spelling", ["snake", "camel"])
    def test_both_spellings_are_accepted(self, api, spelling):
        debt = factories.debt(debtor=factories.debtor(first_name="Ann"))
        factories.template(name="t", body="Dear {{debtor_first_name}}, {{debt_amount}}")
        factories.template(name="t2", communication_type="sms")
        ids = {"debtor_id": str(debt.debtor_id), "debt_id": str(debt.pk)}
        body = {"template_name": "t", "communication_type": "email"} | ids
        if spelling == "camel":
            body = {camel(name): value for name, value in body.items()}

        answer = api.post(self.path, body)

        assert [result["body"] for result in answer.json()["results"]] == ["Dear Ann, £1,000.00"]
        assert "X-Ignored-Fields" not in answer

    def test_an_unknown_or_inactive_name_processes_nothing(self, api):
        factories.template(name="old", is_active=False)

        for name in ("old", "nope"):
            assert api.post(self.path, {"template_name": name}).json() == {"processed": 0, "results": []}

    def test_the_variant_fits_the_debtor(self, api):
        factories.template(name="t", body="Hello")
        factories.template(name="t", language="de", body="Hallo")
        debtor = factories.debtor(language_preference="de-CH")

        results = api.post(self.path, {"debtor_id": str(debtor.pk)}).json()["results"]

        assert [result["body"] for result in results] == ["Hallo"]

    def test_sending_needs_a_debtor_and_a_debt(self, api):
        debt = factories.debt()

        assert rules(api.post(self.path, {"send": True})) == [("debtor_id", "required"), ("debt_id", "required")]
        assert rules(api.post(self.path, {"send": True, "debtorId": str(debt.debtor_id)})) == [("debt_id", "required")]

    @pytest.mark.parametrize(("name", "spelled"), [("debtId", "debtId"), ("debt_id", "debt_id")])
    def test_a_debt_of_another_debtor_is_refused_in_the_clients_spelling(self, api, name, spelled):
        body = {"debtor_id": str(factories.debtor().pk), name: str(factories.debt().pk)}

        assert rules(api.post(self.path, body)) == [(spelled, "database.exists")]

    def test_wrong_references_are_refused(self, api):
        assert rules(api.post(self.path, {"debtor_id": "x"})) == [("debtor_id", "uuid")]
        assert rules(api.post(self.path, {"debtorId": str(uuid.uuid4())})) == [("debtorId", "database.exists")]

    def send(self, api, debt, **values):
        body = {"template_name": "t", "debtor_id": str(debt.debtor_id), "debt_id": str(debt.pk), "send": True} | values
        return api.post(self.path, body)

    def test_a_sent_template_is_queued(self, at_noon, api):
        factories.template(name="t")
        debt = factories.debt()

        (result,) = self.send(api, debt).json()["results"]

        assert (result["status"], result["reason"]) == ("queued", None)
        log = api.get(f"/communication-logs/{result['communicationLogId']}").json()
        assert (log["status"], log["debtId"], log["debtIds"]) == ("queued", str(debt.pk), [str(debt.pk)])

    def test_at_night_it_is_postponed(self, at_night, api):
        factories.template(name="t")

        (result,) = self.send(api, factories.debt()).json()["results"]

        assert result["status"] == "postponed"
        assert result["reason"].startswith("outside_window")
        assert api.get("/communication-logs?status=postponed").json()["meta"]["total"] == 1

    def test_a_disputed_debt_blocks(self, at_noon, api):
        factories.template(name="t")
        debt = factories.debt(current_status="disputed")

        (result,) = self.send(api, debt).json()["results"]

        assert result["status"] == "blocked"
        log = api.get(f"/communication-logs/{result['communicationLogId']}").json()
        assert (log["status"], log["failureReason"]) == ("blocked", result["reason"])

    def test_an_auditor_may_render_and_not_send(self, api_as):
        auditor = api_as(factories.agent("Auditor"))
        factories.template(name="t")

        assert auditor.post(self.path, {"template_name": "t"}).status_code == 200
        assert self.send(auditor, factories.debt()).status_code == 403
        assert auditor.get("/communication-logs").json()["meta"]["total"] == 0

    def test_an_agent_may_send(self, api_as):
        factories.template(name="t")

        assert self.send(api_as(factories.agent("Agent")), factories.debt()).status_code == 200

    def test_an_empty_body_renders_everything(self, api):
        factories.template()

        assert api.post(self.path).json()["processed"] == 1
        assert api.post(self.path, []).status_code == 422
