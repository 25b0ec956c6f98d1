"""The queue of messages in doubt: "it went" and "send again", for one and for many, each with its reason."""

import pytest

from communications.models import CommunicationLog, Settlement, UncertainMessage
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
    answer = agent_at_desk.post(page(doubts[0], "it_went"), {"why": WHY}, follow=True)

    assert said(answer) == ["It counts as sent."]
    settled = Settlement.objects.select_related("log").get()
    assert (settled.log.status, settled.decision, settled.by, settled.why) == ("sent", "went", agent_at_desk.agent, WHY)
    assert agent_at_desk.list(UncertainMessage).context["cl"].result_count == 2
    assert WHY in answer.content.decode(), "its page is among all messages now, with who decided"


def test_one_is_sent_again_as_a_message_of_its_own(agent_at_desk: Browser, doubts: list[UncertainMessage]):
    answer = agent_at_desk.post(page(doubts[0], "send_again"), {"why": WHY}, follow=True)

    assert said(answer) == ["A new message is queued in its place."]
    settled = Settlement.objects.select_related("sent_again_as", "log").get()
    assert settled.sent_again_as is not None
    assert (settled.log.status, settled.sent_again_as.status) == ("failed", "queued")
    assert address(CommunicationLog, "change", settled.sent_again_as.pk) in answer.content.decode()


@pytest.mark.parametrize("action", ["it_went", "send_again"])
def test_without_a_reason_nothing_is_decided(agent_at_desk: Browser, doubts: list[UncertainMessage], action: str):
    assert "why" in errors(agent_at_desk.post(page(doubts[0], action), {"why": " "}))
    assert UncertainMessage.objects.count() == 3


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("it_went_all", "sent", "2 uncertain messages count as sent."),
        ("send_again_all", "failed", "2 uncertain messages are sent again."),
    ],
)
def test_many_are_asked_about_first_and_then_decided_together(
    agent_at_desk: Browser, doubts: list[UncertainMessage], action: str, status: str, words: str
):
    asked = agent_at_desk.act(action, doubts[:2])
    assert asked.status_code == 200
    assert UncertainMessage.objects.count() == 3

    answer = agent_at_desk.act(action, doubts[:2], confirmed="yes", why=WHY)

    assert said(answer) == [words]
    assert [message.pk for message in UncertainMessage.objects.all()] == [doubts[2].pk]
    assert set(CommunicationLog.objects.filter(settlement__isnull=False).values_list("status", "settlement__why")) == {
        (status, WHY)
    }


def test_of_many_the_one_that_may_not_go_again_is_refused_alone(agent_at_desk: Browser, doubts: list[UncertainMessage]):
    CommunicationLog.objects.filter(pk=doubts[0].pk).update(one_time_code_of=doubts[0].pk)

    answer = agent_at_desk.act("send_again_all", doubts, confirmed="yes", why=WHY)

    assert "2 uncertain messages are sent again." in said(answer)
    assert any("It has expired" in words for words in said(answer))
    assert UncertainMessage.objects.get().pk == doubts[0].pk


def test_an_auditor_decides_nothing(auditor_at_desk: Browser, doubts: list[UncertainMessage]):
    assert auditor_at_desk.post(page(doubts[0], "it_went"), {"why": WHY}).status_code == 403
    auditor_at_desk.act("it_went_all", doubts, confirmed="yes", why=WHY)
    assert not Settlement.objects.exists()
    assert UncertainMessage.objects.count() == 3
