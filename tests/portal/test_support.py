"""Debtors say that they cannot pay, or complain, and read the answer."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now

from casework import support
from casework.models import SupportRequest
from collection.models import Hold
from communications.models import CommunicationLog
from debtors.models import Debtor
from portal.models import DigitalActivity
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

TEXT = "I lost my job last week."


def test_who_cannot_pay_is_asked_for_nothing_for_fourteen_days_and_learns_who_helps(debtor: Debtor, mine: Api):
    answer = mine.post("/debtors/me/hardship", {"text": TEXT})

    assert answer.status_code == 201, answer.content
    body, hold = answer.json(), Hold.objects.get()
    assert (hold.reason, hold.debtor, hold.blocks_contact, hold.blocks_interest) == ("hardship", debtor, True, False)
    assert hold.ends_on - hold.starts_on == timedelta(days=14)
    assert (body["status"], body["text"], body["heldUntil"]) == ("sent", TEXT, str(hold.ends_on))
    assert [service["name"] for service in body["advice"]] == ["MoneyHelper"]
    assert DigitalActivity.objects.get().activity_type == "hardship_reported"
    assert mine.post("/debtors/me/hardship", {"text": TEXT}).status_code == 409
    assert Hold.objects.count() == 1


def test_an_agent_begins_and_answers_once_and_the_debtor_is_told(debtor: Debtor, mine: Api):
    mine.post("/debtors/me/complaints", {"text": "You called me at night."})
    request, agent = SupportRequest.objects.get(), factories.agent("Agent")

    support.begin(request, by=agent, now=now())
    assert mine.get("/debtors/me/complaints").json()["data"][0]["status"] == "in_review"
    with pytest.raises(support.AlreadyBegun):
        support.begin(request, by=agent, now=now())
    with pytest.raises(support.AnswerRequired):
        support.answer(request, answer=" ", by=agent, now=now())
    support.answer(request, answer="That was our mistake.", by=agent, now=now())

    (shown,) = mine.get("/debtors/me/complaints").json()["data"]
    assert (shown["status"], shown["answer"]) == ("answered", "That was our mistake.")
    told = CommunicationLog.objects.get()
    assert (told.debtor, told.purpose, told.subject) == (debtor, "answer", "Our answer to you")
    assert "mistake" not in told.body
    with pytest.raises(support.AlreadyAnswered):
        support.answer(request, answer="Again", by=agent, now=now())
    assert not mine.get("/debtors/me/hardship").json()["data"]


def test_after_the_answer_a_hardship_can_be_reported_again(debtor: Debtor, mine: Api):
    first = support.report_hardship(debtor, text=TEXT, now=now())
    support.answer(first, answer="Let us agree on a plan.", by=factories.agent(), now=now())

    assert mine.post("/debtors/me/hardship", {"text": TEXT}).status_code == 201


def test_an_auditor_answers_nothing_and_ten_a_day_are_enough(debtor: Debtor, mine: Api):
    made = [support.complain(debtor, text=TEXT, now=now()) for _ in range(support.LIMIT.maximum)]

    with pytest.raises(Exception, match="permission"):
        support.answer(made[0], answer="No", by=factories.agent("Auditor"), now=now())
    assert mine.post("/debtors/me/complaints", {"text": TEXT}).status_code == 429


@pytest.mark.parametrize("path", ["hardship", "complaints"])
def test_the_requests_of_others_are_not_shown_and_short_texts_refused(
    mine: Api, api_of: Callable[[Debtor], Api], path: str
):
    assert api_of(factories.debtor()).post(f"/debtors/me/{path}", {"text": TEXT}).status_code == 201

    assert mine.get(f"/debtors/me/{path}").json()["data"] == []
    refused = mine.post(f"/debtors/me/{path}", {"text": "Help"})
    assert [(error["field"], error["rule"]) for error in refused.json()["errors"]] == [("text", "minLength")]
