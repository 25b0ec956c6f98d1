"""The worklist of uncertain messages: confirm or send again, one or many, each with a reason."""

import pytest

from communications.models import CommunicationLog, UncertainMessage, UncertainResolution
from tests import factories
from tests.admin.conftest import Browser, address, errors, said

WHY = "Their page lists it"


@pytest.fixture
def uncertain() -> list[UncertainMessage]:
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


def test_a_confirmed_message_counts_as_sent_and_leaves_the_worklist(
    agent_at_desk: Browser, uncertain: list[UncertainMessage]
):
    answer = agent_at_desk.post(page(uncertain[0], "confirm"), {"reason": WHY}, follow=True)

    assert said(answer) == ["The message counts as sent."]
    resolution = UncertainResolution.objects.select_related("message").get()
    assert (resolution.message.status, resolution.decision, resolution.by, resolution.reason) == (
        "sent",
        "sent",
        agent_at_desk.agent,
        WHY,
    )
    assert agent_at_desk.list(UncertainMessage).context["cl"].result_count == 2
    assert WHY in answer.content.decode(), "its page is among all messages now, with who decided"


def test_one_is_sent_again_as_a_new_message(agent_at_desk: Browser, uncertain: list[UncertainMessage]):
    answer = agent_at_desk.post(page(uncertain[0], "send_again"), {"reason": WHY}, follow=True)

    assert said(answer) == ["A new message is queued in its place."]
    resolution = UncertainResolution.objects.select_related("replacement", "message").get()
    assert resolution.replacement is not None
    assert (resolution.message.status, resolution.replacement.status) == ("failed", "queued")
    assert address(CommunicationLog, "change", resolution.replacement.pk) in answer.content.decode()


@pytest.mark.parametrize("action", ["confirm", "send_again"])
def test_without_a_reason_nothing_is_resolved(agent_at_desk: Browser, uncertain: list[UncertainMessage], action: str):
    assert "reason" in errors(agent_at_desk.post(page(uncertain[0], action), {"reason": " "}))
    assert UncertainMessage.objects.count() == 3


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("confirm_selected", "sent", "2 uncertain messages count as sent."),
        ("send_again_selected", "failed", "2 uncertain messages are sent again."),
    ],
)
def test_many_are_confirmed_on_a_page_and_resolved_together(
    agent_at_desk: Browser, uncertain: list[UncertainMessage], action: str, status: str, words: str
):
    asked = agent_at_desk.act(action, uncertain[:2])
    assert asked.status_code == 200
    assert UncertainMessage.objects.count() == 3

    answer = agent_at_desk.act(action, uncertain[:2], confirmed="yes", reason=WHY)

    assert said(answer) == [words]
    assert [message.pk for message in UncertainMessage.objects.all()] == [uncertain[2].pk]
    assert set(
        CommunicationLog.objects.filter(uncertain_resolution__isnull=False).values_list(
            "status", "uncertain_resolution__reason"
        )
    ) == {(status, WHY)}


def test_an_expired_message_among_many_is_refused(agent_at_desk: Browser, uncertain: list[UncertainMessage]):
    CommunicationLog.objects.filter(pk=uncertain[0].pk).update(one_time_code_of=uncertain[0].pk)

    answer = agent_at_desk.act("send_again_selected", uncertain, confirmed="yes", reason=WHY)

    assert "2 uncertain messages are sent again." in said(answer)
    assert any("has expired" in words for words in said(answer))
    assert UncertainMessage.objects.get().pk == uncertain[0].pk


def test_an_auditor_resolves_nothing(auditor_at_desk: Browser, uncertain: list[UncertainMessage]):
    assert auditor_at_desk.post(page(uncertain[0], "confirm"), {"reason": WHY}).status_code == 403
    auditor_at_desk.act("confirm_selected", uncertain, confirmed="yes", reason=WHY)
    assert not UncertainResolution.objects.exists()
    assert UncertainMessage.objects.count() == 3
