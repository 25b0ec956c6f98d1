"""The queue of messages in doubt: "it went" and "send again", for one and for many, each with its reason."""

import pytest

from communications.models import CommunicationLog, UncertainMessage, UncertainResolution
from tests import factories
from tests.admin.conftest import Browser, address, errors, said

WHY = "Their page lists it"


@pytest.fixture
def doubts() -> list[UncertainMessage]:
    for _ in range(3):
        CommunicationLog.objects.create(
            debtor=factories.debtor(),
            communication_type="email",
            status="uncertain",
            subject="S",
            body="Hello",
            attempts=1,
        )
    return list(UncertainMessage.objects.all())


def page(message: UncertainMessage, action: str) -> str:
    return f"/admin/communications/uncertainmessage/{message.pk}/{action}/"


def test_one_that_went_counts_as_sent_and_leaves_the_queue(agent_at_desk: Browser, doubts: list[UncertainMessage]):
    answer = agent_at_desk.post(page(doubts[0], "confirm"), {"reason": WHY}, follow=True)

    assert said(answer) == ["The message counts as sent."]
    settled = UncertainResolution.objects.select_related("message").get()
    assert (settled.message.status, settled.decision, settled.by, settled.reason) == (
        "sent",
        "sent",
        agent_at_desk.agent,
        WHY,
    )
    assert agent_at_desk.list(UncertainMessage).context["cl"].result_count == 2
    assert WHY in answer.content.decode(), "its page is among all messages now, with who decided"


def test_one_is_sent_again_as_a_message_of_its_own(agent_at_desk: Browser, doubts: list[UncertainMessage]):
    answer = agent_at_desk.post(page(doubts[0], "send_again"), {"reason": WHY}, follow=True)

    assert said(answer) == ["A new message is queued in its place."]
    settled = UncertainResolution.objects.select_related("replacement", "message").get()
    assert settled.replacement is not None
    assert (settled.message.status, settled.replacement.status) == ("failed", "queued")
    assert address(CommunicationLog, "change", settled.replacement.pk) in answer.content.decode()


@pytest.mark.parametrize("action", ["confirm", "send_again"])
def test_without_a_reason_nothing_is_decided(agent_at_desk: Browser, doubts: list[UncertainMessage], action: str):
    assert "reason" in errors(agent_at_desk.post(page(doubts[0], action), {"reason": " "}))
    assert UncertainMessage.objects.count() == 3


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("confirm_selected", "sent", "2 uncertain messages count as sent."),
        ("send_again_selected", "failed", "2 uncertain messages are sent again."),
    ],
)
def test_many_are_asked_about_first_and_then_decided_together(
    agent_at_desk: Browser, doubts: list[UncertainMessage], action: str, status: str, words: str
):
    asked = agent_at_desk.act(action, doubts[:2])
    assert asked.status_code == 200
    assert UncertainMessage.objects.count() == 3

    answer = agent_at_desk.act(action, doubts[:2], confirmed="yes", reason=WHY)

    assert said(answer) == [words]
    assert [message.pk for message in UncertainMessage.objects.all()] == [doubts[2].pk]
    assert set(
        CommunicationLog.objects.filter(uncertain_resolution__isnull=False).values_list(
            "status", "uncertain_resolution__reason"
        )
    ) == {(status, WHY)}


def test_of_many_the_one_that_may_not_go_again_is_refused_alone(agent_at_desk: Browser, doubts: list[UncertainMessage]):
    CommunicationLog.objects.filter(pk=doubts[0].pk).update(one_time_code_of=doubts[0].pk)

    answer = agent_at_desk.act("send_again_selected", doubts, confirmed="yes", reason=WHY)

    assert "2 uncertain messages are sent again." in said(answer)
    assert any("has expired" in words for words in said(answer))
    assert UncertainMessage.objects.get().pk == doubts[0].pk


def test_an_auditor_decides_nothing(auditor_at_desk: Browser, doubts: list[UncertainMessage]):
    assert auditor_at_desk.post(page(doubts[0], "confirm"), {"reason": WHY}).status_code == 403
    auditor_at_desk.act("confirm_selected", doubts, confirmed="yes", reason=WHY)
    assert not UncertainResolution.objects.exists()
    assert UncertainMessage.objects.count() == 3
