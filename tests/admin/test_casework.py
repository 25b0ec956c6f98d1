"""The back office's pages of notes, follow-ups and claims."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from casework import claims
from casework.models import FollowUp, Note, WorkClaim
from ddc.common.days import agency_today
from tests import factories
from tests.admin.conftest import Browser, address, errors, said

pytestmark = pytest.mark.django_db


def shown(browser: Browser, model: Any, **query: Any) -> list[Any]:
    return list(browser.list(model, **query).context["cl"].result_list)


def test_notes_are_found_by_their_words(agent_at_desk: Browser):
    wanted = factories.note(text="Lebt bei der Schwägerin in Köln")
    factories.note(text="Another one")
    assert shown(agent_at_desk, Note, q="schwagerin") == [wanted]
    assert shown(agent_at_desk, Note, q=str(wanted.debtor_id)) == [wanted]


def test_a_note_is_struck_out_after_a_question_and_stays_readable(supervisor_at_desk: Browser):
    note = factories.note(text="Wrong")
    page = address(Note, "change", note.pk).replace("/change/", "/strike_out/")
    assert "stays readable" in supervisor_at_desk.get(page).content.decode()
    answer = supervisor_at_desk.post(page, follow=True)
    assert said(answer) == ["The note is struck out."]
    assert answer.request["PATH_INFO"] == address(type(note.debtor), "change", note.debtor_id)
    assert Note.objects.get().struck_by == supervisor_at_desk.agent
    assert "Struck out by Ann" in supervisor_at_desk.get(address(Note, "change", note.pk)).content.decode()
    assert shown(supervisor_at_desk, Note, state="struck") == [note]


def test_the_worklist_has_what_is_due_the_oldest_first(agent_at_desk: Browser):
    today, agent = agency_today(now()), agent_at_desk.agent
    mine = factories.follow_up(owner=agent, by=agent)
    late = factories.follow_up(due_on=today - timedelta(2), now=now() - timedelta(2))
    others = factories.follow_up(owner=factories.agent(), due_on=today - timedelta(1), now=now() - timedelta(1))
    later = factories.follow_up(due_on=today + timedelta(1))
    assert shown(agent_at_desk, FollowUp) == [late, others, mine]
    assert shown(agent_at_desk, FollowUp, state="mine") == [late, mine]
    assert shown(agent_at_desk, FollowUp, state="later") == [later]
    assert "2 days late" in agent_at_desk.list(FollowUp).content.decode()


def test_follow_ups_are_closed_on_their_page_and_in_the_list(agent_at_desk: Browser):
    first, second, third = (factories.follow_up() for _ in range(3))
    for name, row, fields, done in (
        ("finish", first, {"note": "Sent."}, "Finished."),
        ("move", second, {"due_on": agency_today(now()) + timedelta(3)}, "Moved."),
    ):
        page = address(FollowUp, "change", row.pk).replace("/change/", f"/{name}/")
        assert agent_at_desk.get(page).status_code == 200
        assert said(agent_at_desk.post(page, fields, follow=True)) == [done]
        assert agent_at_desk.get(page).status_code == 403  # It is no next step any more.
    assert said(agent_at_desk.act("drop_selected", [third])) == ["1 follow-up dropped."]
    assert shown(agent_at_desk, FollowUp) == []
    assert {row.outcome for row in shown(agent_at_desk, FollowUp, state="closed")} == {"done", "moved", "dropped"}
    continued = FollowUp.objects.get(continues=second)
    assert str(continued.due_on) in agent_at_desk.get(address(FollowUp, "change", second.pk)).content.decode()


def test_a_refused_day_is_said_at_its_field(agent_at_desk: Browser):
    page = address(FollowUp, "change", factories.follow_up().pk).replace("/change/", "/move/")
    answer = agent_at_desk.post(page, {"due_on": "2001-01-01", "note": "Kept"})
    assert errors(answer)["due_on"][0].startswith("Enter a day from ")
    assert "Kept" in answer.content.decode()


def test_the_worklist_shows_who_has_the_person_open(agent_at_desk: Browser):
    other = factories.agent("Agent", first_name="Sam", last_name="Field")
    claims.claim(factories.follow_up().debtor, by=other, now=now())
    assert "Sam Field" in agent_at_desk.list(FollowUp).content.decode()
    assert "in force" in agent_at_desk.list(WorkClaim).content.decode()
