"""The back office's front page: the work queue, and a menu with every table."""

from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from collection.models import DeferralRequest
from communications.models import InboundMessage
from ddc import backoffice
from tests import factories
from tests.admin.conftest import Browser, fill


def test_every_table_is_in_one_section_of_the_menu():
    labels = list(chain.from_iterable(tables for _, _, tables in backoffice.MENU))
    assert len(labels) == len(set(labels))
    assert set(map(apps.get_model, labels)) == set(admin.site._registry)


@pytest.mark.django_db
def test_it_opens_after_a_sign_in_that_asked_for_no_other_page(client: Client):
    factories.agent(username="sam")
    answer = client.post("/admin/login/", {"username": "sam", "password": factories.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_each_worklist_counts_as_many_as_its_list_shows(supervisor_at_desk: Browser):
    fill(3)
    cards = supervisor_at_desk.get("/admin/").context["work_queue"]
    assert len(cards) == len(backoffice.WORKLISTS)
    shown = {card.title: supervisor_at_desk.get(card.url).context["cl"].result_count for card in cards}
    assert {card.title: card.count for card in cards} == shown
    assert shown["Deferral requests to decide"] == 3


def test_it_shows_how_long_the_oldest_row_has_waited(supervisor_at_desk: Browser):
    fill(2)
    oldest = DeferralRequest.objects.filter(status="pending").earliest("created_at")
    page = supervisor_at_desk.get("/admin/")
    assert page.context["work_queue"][0].oldest == oldest.created_at
    assert "Oldest:" in page.content.decode()


def test_an_empty_worklist_has_nothing_to_do(agent_at_desk: Browser):
    page = agent_at_desk.get("/admin/")
    assert {card.number for card in page.context["work_queue"]} == {"0"}
    assert "Nothing to do" in page.content.decode()


def test_a_long_worklist_is_not_counted_to_its_end(agent_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backoffice, "MAX_COUNT", 2)
    fill(3)
    assert agent_at_desk.get("/admin/").context["work_queue"][0].number == "2 or more"


@pytest.mark.owner
def test_a_table_that_an_agent_may_not_see_is_in_neither_the_menu_nor_the_work_queue(agent_at_desk: Browser):
    group = agent_at_desk.agent.groups.get()
    group.permissions.remove(*group.permissions.filter(codename="view_inboundmessage"))
    page = agent_at_desk.get("/admin/")
    title = str(InboundMessage._meta.verbose_name_plural).capitalize()
    assert "Unread messages" not in [card.title for card in page.context["work_queue"]]
    menu = page.context["sidebar_navigation"]
    assert title not in [item["title"] for section in menu for item in section["items"]]


def test_it_takes_as_many_queries_for_twenty_rows_as_for_one(sign_in: Any):
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
