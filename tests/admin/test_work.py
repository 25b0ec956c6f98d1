"""The bar of those who work through a worklist: start, skip, back, stop."""

from datetime import UTC, datetime

import pytest

from casework import claims
from casework.worklists import BY_KIND
from collection.models import DeferralRequest
from tests import factories
from tests.admin.conftest import Browser, said
from tests.casework.test_worklists import asked

DEFERRALS = BY_KIND["deferrals"]


@pytest.fixture
def three(db: None) -> list[DeferralRequest]:
    return [asked(hours) for hours in (1, 3, 2)]


def test_start_skip_back_and_the_last_one(three: list[DeferralRequest], agent_at_desk: Browser):
    newest, oldest, middle = three
    answer = agent_at_desk.client.get("/admin/work/deferrals/", follow=True)
    assert answer.redirect_chain[-1][0] == DEFERRALS.url(oldest)
    assert "1 of 3" in answer.content.decode()
    bar = answer.context["work_bar"]
    answer = agent_at_desk.client.get(bar.next_url, follow=True)
    assert answer.redirect_chain[-1][0] == DEFERRALS.url(middle)
    assert claims.in_force(claims.type_of(oldest), [oldest.pk, middle.pk], now=datetime.now(UTC)).keys() == {middle.pk}
    answer = agent_at_desk.client.get(answer.context["work_bar"].back_url, follow=True)
    assert answer.redirect_chain[-1][0] == DEFERRALS.url(oldest)
    # The bar stays on other pages of the same work.
    page = agent_at_desk.get(f"/admin/debtors/debtor/{oldest.debtor_id}/change/").content.decode()
    assert "1 of 3" in page
    answer = agent_at_desk.client.get(DEFERRALS.next_url(newest), follow=True)
    assert said(answer) == ["Deferral requests: That was the last one."]
    assert answer.context["work_bar"] is None


def test_stopping_gives_the_item_back(three: list[DeferralRequest], agent_at_desk: Browser):
    agent_at_desk.get("/admin/work/deferrals/")
    answer = agent_at_desk.client.get("/admin/work/deferrals/leave/", follow=True)
    assert answer.context["work_bar"] is None
    assert DEFERRALS.next_after(None, factories.agent("Agent"), now=datetime.now(UTC)) == three[1]


@pytest.mark.parametrize(("path", "status"), [("nothing/", 404), ("holds/", 403), ("deferrals/?after=x", 302)])
def test_unknown_and_forbidden_work(agent_at_desk: Browser, path: str, status: int):
    assert agent_at_desk.get(f"/admin/work/{path}").status_code == status
