"""A body that misspells a field which decides what the request does is refused, and changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils.timezone import now

from collection import deferrals
from collection.models import Debt, DeferralRequest, Dispute, Segment
from communications.models import CommunicationLog, CommunicationTemplate
from ddc.common.api.rendering import camel
from ddc.common.api.serializers import CamelSerializer
from payments.models import Payment
from portal import tokens
from strategy.models import StrategyRule, StrategyRun
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def refused(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Status": "failed"}, {"staus": "failed"}, {"statuss": "failed"}, {"sattus": "failed"}, {"currency_code": "EUR"},
        {"paymentdate": "2026-01-31"}, {"processorTxnID": "T-1"},
    ],
)  # fmt: skip
def test_a_payment_with_a_misspelled_field_is_not_recorded(api: Api, wrong: dict[str, str]):
    debt = factories.debt()

    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": 5, **wrong})

    assert refused(answer) == [(name, "unknown") for name in wrong]
    assert "Did you mean" in answer.json()["message"]
    assert not Payment.objects.exists()


def test_a_field_that_is_also_spelled_right_decides(api: Api):
    debt = factories.debt()

    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": 5, "status": "pending", "Status": "failed"})

    assert (answer.status_code, answer.json()["status"], answer["X-Ignored-Fields"]) == (201, "pending", "Status")


def test_other_unknown_names_are_ignored_and_a_payment_may_be_sent_back(api: Api):
    body = {"debtId": str(factories.debt().pk), "amount": 5, "colour": "red", "x" * 5_000: 1}
    made = api.post("/payments", body)
    assert made.status_code == 201
    assert api.put(f"/payments/{made.json()['id']}", made.json()).status_code == 200


def test_a_debt_in_a_misspelled_currency_is_not_placed(api: Api):
    body = {"debtorId": str(factories.debtor().pk), "originalCreditor": "X", "originalBalance": 5, "curencyCode": "EUR"}

    assert refused(api.post("/debts", body)) == [("curencyCode", "unknown")]
    assert not Debt.objects.exists()


def test_a_segment_or_a_rule_that_should_be_inactive_is_not_created(api: Api):
    segment, template = factories.segment(), factories.template()
    rule = {"name": "R", "segmentId": str(segment.pk), "templateId": str(template.pk)}
    rule["trigger"] = {"type": "TimeTrigger", "daysSincePlacement": 7}  # type: ignore[assignment]
    assert refused(api.post("/segments", {"name": "S", "is_active": False})) == [("is_active", "unknown")]
    assert refused(api.post("/segments", {"name": "S", "maxbalance": 5})) == [("maxbalance", "unknown")]
    assert refused(api.post("/strategy-rules", {**rule, "isActve": False})) == [("isActve", "unknown")]
    assert (Segment.objects.count(), StrategyRule.objects.count()) == (1, 0)


def test_a_text_with_a_misspelled_flag_is_not_saved(api: Api):
    body = {"name": "T", "communicationType": "sms", "body": "Hi", "asksForPayments": True}
    assert refused(api.post("/communication-templates", body)) == [("asksForPayments", "unknown")]
    assert not CommunicationTemplate.objects.filter(name="T").exists()


@pytest.mark.parametrize("wrong", ["templatename", "template_nam", "TemplateName"])
def test_no_template_is_sent_where_the_name_of_one_is_misspelled(api: Api, wrong: str):
    debt, template = factories.debt(), factories.template()
    body = {"debtor_id": str(debt.debtor_id), "debt_id": str(debt.pk), "send": True, wrong: template.name}

    assert refused(api.post("/communication-templates/process", body)) == [(wrong, "unknown")]
    assert not CommunicationLog.objects.exists()


def test_nothing_is_only_rendered_where_send_is_misspelled(api: Api):
    assert refused(api.post("/communication-templates/process", {"Send": True})) == [("Send", "unknown")]
    assert api.post("/communication-templates/process", {"templateName": "none"}).status_code == 200


def test_a_run_of_a_misspelled_day_is_not_planned(api: Api):
    assert refused(api.post("/strategy/runs", {"dryRun": True, "dates": "2026-01-01"})) == [("dates", "unknown")]
    assert refused(api.post("/strategy/runs", {"dry_run": True})) == [("dryRun", "required")]
    assert not StrategyRun.objects.exists()


def test_a_rejection_sent_to_the_path_of_approvals_is_refused_in_any_spelling(api: Api):
    debt = factories.debt()
    asked = deferrals.request(debt, debtor=debt.debtor, days=5, reason="I lost my job.", now=now())
    path = f"/deferral-requests/{asked.pk}/approve"

    assert refused(api.put(path, {"status": "rejected"})) == [("status", "enum")]
    assert refused(api.put(path, {"Status": "rejected"})) == [("Status", "unknown")]
    assert DeferralRequest.objects.get().status == "pending"


def test_a_debtor_who_disputes_a_part_does_not_dispute_the_whole():
    debt = factories.debt()
    mine = Api(tokens.issue(debt.debtor, now=now())[0])
    body = {"debtId": str(debt.pk), "portions": 5, "reason": "I paid part of it."}

    assert refused(mine.post("/debtors/me/disputes", body)) == [("portions", "unknown")]
    assert not Dispute.objects.exists()


#: Optional fields whose absence changes nothing but what a row says about itself.
DESCRIPTIVE = {
    "first_name", "last_name", "mobile_phone", "legal_entity", "dob", "address_line1", "address_line2", "city",
    "region_state", "postal_code", "country_code", "language_preference", "description", "subject", "priority", "p2p_score",
    "payment_method", "evidence", "debt_id", "review_notes", "path", "metadata", "status_reason", "email", "attempt_token", "otp",
    "reason", "note", "checked_on", "confidence", "payer_account", "payer_name",
}  # fmt: skip
#: Serializers of answers only.
ANSWERS = {"LedgerCauseSerializer", "CreditEntrySerializer", "EventDetailsSerializer"}


def kinds(base: type[CamelSerializer] = CamelSerializer) -> Iterator[type[CamelSerializer]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_each_optional_field_of_a_body_is_decisive_or_descriptive():
    found = {
        (kind.__name__, camel(name))
        for kind in kinds()
        if kind.__name__ not in ANSWERS
        for name, field in kind().fields.items()
        if not (field.read_only or field.required)
    }
    decisive = {(kind.__name__, camel(name)) for kind in kinds() for name in kind.decisive}
    descriptive = {(kind, name) for kind, name in found if name in map(camel, DESCRIPTIVE)}
    assert sorted(found - decisive - descriptive) == []
