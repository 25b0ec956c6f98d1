"""The back office's front page: what waits for somebody, and a menu that leads everywhere."""

from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection.models import DeferralRequest
from communications.models import InboundMessage
from ddc import backoffice
from tests.admin.conftest import Browser, fill


def test_every_table_is_in_one_room_of_the_menu():
    labels = list(chain.from_iterable(tables for _, _, tables in backoffice.MENU))
    assert len(labels) == len(set(labels))
    assert set(map(apps.get_model, labels)) == set(admin.site._registry)


def test_each_worklist_tells_as_many_as_its_list_shows(supervisor_at_desk: Browser):
    fill(3)
    waiting = supervisor_at_desk.get("/admin/").context["waiting"]
    assert len(waiting) == len(backoffice.WORKLISTS)
    shown = {work.title: supervisor_at_desk.get(work.url).context["cl"].result_count for work in waiting}
    assert {work.title: work.count for work in waiting} == shown
    assert shown["Deferral requests to decide"] == 3


def test_it_tells_how_long_the_oldest_has_waited(supervisor_at_desk: Browser):
    fill(2)
    oldest = DeferralRequest.objects.filter(status="pending").earliest("created_at")
    page = supervisor_at_desk.get("/admin/")
    assert page.context["waiting"][0].oldest == oldest.created_at
    assert "the oldest for" in page.content.decode()


def test_where_nothing_waits_it_says_so(agent_at_desk: Browser):
    page = agent_at_desk.get("/admin/")
    assert [work.told for work in page.context["waiting"]] == ["0"] * len(page.context["waiting"])
    assert "nothing waits" in page.content.decode()


def test_beyond_what_is_counted_it_says_so(agent_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backoffice, "COUNTED", 2)
    fill(3)
    assert agent_at_desk.get("/admin/").context["waiting"][0].told == "2 or more"


def test_who_may_not_see_a_table_finds_it_neither_in_the_menu_nor_among_what_waits(agent_at_desk: Browser):
    group = agent_at_desk.agent.groups.get()
    group.permissions.remove(*group.permissions.filter(codename="view_inboundmessage"))
    page = agent_at_desk.get("/admin/")
    words = str(InboundMessage._meta.verbose_name_plural).capitalize()
    assert "Unread messages" not in [work.title for work in page.context["waiting"]]
    assert words not in [item["title"] for room in page.context["sidebar_navigation"] for item in room["items"]]


def test_it_takes_the_same_queries_however_much_waits(sign_in: Any):
    browser = sign_in("Supervisor")
    few, many = [_queries(browser, rows) for rows in (1, 20)]
    assert few == many


def _queries(browser: Browser, rows: int) -> int:
    fill(rows)
    browser.get("/admin/")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        browser.get("/admin/")
    return len(queries)
