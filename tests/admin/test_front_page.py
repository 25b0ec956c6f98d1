"""The back office's home page and its menu, by role."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils.timezone import now

from audit import checks
from audit.models import SystemCheck
from casework import figures, worklists
from casework.models import WorkClaim
from collection.models import DeferralRequest
from communications.models import CommunicationLog, InboundMessage, ProviderEvent
from communications.outbox import outbox
from ddc import menu
from tests import factories
from tests.admin.conftest import NOW, Browser, fill


def test_every_table_is_in_one_section_of_the_menu():
    assert get_resolver().url_patterns  # loads the pages that the routes name
    labels = list(chain.from_iterable(tables for _, tables in menu.MENU))
    assert len(labels) == len(set(labels))
    assert set(map(apps.get_model, labels)) == set(admin.site._registry)


@pytest.mark.django_db
def test_it_opens_after_a_sign_in_that_asked_for_no_other_page(client: Client):
    factories.agent(username="sam")
    answer = client.post("/admin/login/", {"username": "sam", "password": factories.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def _titles(page: Any) -> dict[str, list[str]]:
    return {
        section.get("title", ""): [item["title"] for item in section["items"]]
        for section in page.context["sidebar_navigation"]
    }


SECTIONS = ["", "To do", "People", "Debts", "Payments", "Messages", "Strategy", "Reports", "Set-up"]


def test_the_menu_has_what_the_role_may_see_and_do(sign_in: Any):
    of_agent, of_auditor = (_titles(sign_in(role).get("/admin/")) for role in ("Agent", "Auditor"))
    of_supervisor = _titles(sign_in("Supervisor").get("/admin/"))
    assert list(of_supervisor) == SECTIONS
    assert of_supervisor["To do"] == [worklist.title for worklist in worklists.WORKLISTS]
    assert "Holds to approve" not in of_agent["To do"]
    assert "To do" not in of_auditor
    assert "Audit events" not in "".join(of_agent["Reports"])


@pytest.mark.django_db
def test_only_a_superuser_sees_the_machinery(client: Client):
    client.force_login(factories.agent(None, is_superuser=True))
    assert "Circuits" in _titles(client.get("/admin/"))[menu.MACHINERY]


def test_each_worklist_counts_as_many_as_its_list_shows(supervisor_at_desk: Browser):
    fill(3)
    WorkClaim.objects.all().delete()
    ProviderEvent.objects.update(failed_at=NOW)
    tasks = supervisor_at_desk.get("/admin/").context["tasks"]
    counted = {task.waiting.worklist.kind: task.waiting.count for task in tasks}
    urls = {task.waiting.worklist.kind: task.waiting.worklist.list_url() for task in tasks}
    assert counted == {kind: supervisor_at_desk.get(url).context["cl"].result_count for kind, url in urls.items()}
    assert counted["deferrals"] == counted["callbacks"] == 3


def test_the_work_says_how_much_waits_since_when_and_how_much_is_owed(agent_at_desk: Browser):
    fill(2)
    WorkClaim.objects.all().delete()
    oldest = DeferralRequest.objects.filter(status="pending").earliest("created_at")
    page = agent_at_desk.get("/admin/")
    task = page.context["tasks"][0]
    assert (task.waiting.worklist.kind, task.waiting.count, task.waiting.late) == ("deferrals", 2, 2)
    assert task.waiting.oldest == oldest.created_at
    owed = sum(request.debt.current_balance for request in DeferralRequest.objects.filter(status="pending"))
    assert task.waiting.sums == {"GBP": owed}
    assert task.tone == "bad"
    assert "2 over 2 working days" in page.content.decode()
    to_do = page.context["sidebar_navigation"][1]["items"]
    assert [(item["count"], item["is_late"]) for item in to_do if item["title"] == "Deferral requests"] == [("2", True)]


def test_a_debt_of_several_items_is_added_once(agent_at_desk: Browser):
    debt = factories.debt(balance=700)
    for _ in range(2):
        factories.follow_up(debtor=debt.debtor, debt=debt)
    (task,) = agent_at_desk.get("/admin/").context["tasks"]
    assert (task.waiting.count, task.sums) == (2, "700.00 GBP")


def test_an_empty_worklist_has_nothing_to_do(agent_at_desk: Browser):
    page = agent_at_desk.get("/admin/")
    assert page.context["tasks"] == []
    assert "Nothing waits for you" in page.content.decode()


def test_a_long_worklist_is_not_counted_to_its_end(agent_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worklists, "MAX_COUNT", 2)
    monkeypatch.setattr(menu, "MAX_COUNT", 2)
    for _ in range(3):
        factories.follow_up()
    page = agent_at_desk.get("/admin/")
    assert page.context["tasks"][0].number == "2 or more"
    assert "1+" in [item.get("count") for item in page.context["sidebar_navigation"][1]["items"]]


@pytest.mark.owner
def test_a_table_that_an_agent_may_not_see_is_in_neither_the_menu_nor_the_work(agent_at_desk: Browser):
    group = agent_at_desk.agent.groups.get()
    names = ("view_inboundmessage", "read_inboundmessage")
    group.permissions.remove(*group.permissions.filter(codename__in=names))
    titles = list(chain.from_iterable(_titles(agent_at_desk.get("/admin/")).values()))
    assert not {"Replies", menu.NAMES[InboundMessage._meta.label]} & set(titles)


def test_an_auditor_has_no_work(auditor_at_desk: Browser):
    fill(1)
    page = auditor_at_desk.get("/admin/")
    assert page.context["tasks"] == []
    assert "My work now" not in page.content.decode()


@pytest.mark.parametrize("role", ["Agent", "Supervisor"])
def test_it_takes_as_many_queries_for_twenty_rows_as_for_one(sign_in: Any, remembered_roles: None, role: str):
    browser = sign_in(role)
    few, many = [_queries(browser, rows) for rows in (1, 20)]
    assert len(few) == len(many) <= 20, "\n".join(query[:150] for query in many)


def _queries(browser: Browser, rows: int) -> list[str]:
    fill(rows)
    browser.get("/admin/")
    with CaptureQueriesContext(connection) as queries:
        browser.get("/admin/")
    return [query["sql"] for query in queries]


@pytest.fixture
def measured(db: None) -> None:
    with time_machine.travel(NOW, tick=False):
        fill(1)
        figures.refresh(now=NOW + timedelta(hours=1))


CHARTS = {"collected", "messages", "ages", "deferrals"}


@pytest.mark.parametrize("role", ["Agent", "Supervisor", "Auditor"])
@pytest.mark.usefixtures("measured")
def test_the_figures_of_today_and_the_charts(sign_in: Any, role: str):
    browser = sign_in(role)
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        page = browser.get("/admin/")
    first = page.context["cards"][0]
    assert (first.title, first.detail) == ("Collected today", "10.00 GBP")
    charts = {chart.slug: chart for chart in page.context["charts"]}
    assert charts.keys() == CHARTS
    for chart in charts.values():
        data = json.loads(chart.data)
        assert all(len(one["data"]) == len(data["labels"]) for one in data["datasets"])
        assert json.loads(chart.options)["plugins"] == {"legend": {"display": False}}
    assert charts["collected"].rows[0] == [NOW.date().isoformat(), Decimal("10.0000")]
    assert bool(page.context.get("runs")) == (role == "Supervisor")
    assert ("Downloads of lists" in page.content.decode()) == (role == "Auditor")
    second = {"Supervisor": "Deferrals decided"}.get(role, "Follow-ups kept")
    assert [card.title for card in page.context["cards"]][1] == second


def test_a_supervisor_sees_queues_and_providers(supervisor_at_desk: Browser):
    assert all(line.is_well for line in supervisor_at_desk.get("/admin/").context["state"])
    message = outbox.queue(debtor=factories.debtor(), channel="email", subject="x", body="x", now=now())
    CommunicationLog.objects.filter(pk=message.pk).update(due_at=now() - timedelta(hours=3))
    lines = {line.name: line for line in supervisor_at_desk.get("/admin/").context["state"]}
    assert lines["Messages due"].state.startswith("1, the oldest for 3")
    assert not lines["Messages due"].is_well


def test_an_auditor_sees_the_last_result_of_each_check(auditor_at_desk: Browser, agent_at_desk: Browser):
    lines = {line.name: line for line in auditor_at_desk.get("/admin/").context["state"]}
    assert {line.state for line in lines.values()} == {"Not checked here yet"}
    title = checks.known()["ledger"].title
    values: dict[str, Any] = {"kind": "ledger", "agent_name": "x", "status": "done"}
    SystemCheck.objects.create(**values, finished_at=NOW - timedelta(days=1), found=2)
    lines = {line.name: line for line in auditor_at_desk.get("/admin/").context["state"]}
    assert (lines[title].state, lines[title].is_well) == ("31 Jan 2026, 09:00: 2 differences", False)
    SystemCheck.objects.create(**values, finished_at=NOW, found=0)
    SystemCheck.objects.create(kind="ledger", agent_name="x")
    lines = {line.name: line for line in auditor_at_desk.get("/admin/").context["state"]}
    assert (lines[title].state, lines[title].is_well) == ("1 Feb 2026, 09:00: no difference", True)
    assert "state" not in agent_at_desk.get("/admin/").context


@pytest.mark.usefixtures("measured")
def test_the_figures_of_a_chart_are_a_csv_file(agent_at_desk: Browser):
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        for slug in CHARTS:
            answer = agent_at_desk.get(f"/admin/figures/{slug}/")
            assert answer["Content-Type"].startswith("text/csv")
            lines = b"".join(answer.streaming_content).decode().splitlines()
            assert len(lines) > 1, slug
        collected = b"".join(agent_at_desk.get("/admin/figures/collected/").streaming_content).decode()
        assert collected.splitlines()[:2] == ["\ufeffDay,GBP", "2026-02-01,10.00"]
        assert agent_at_desk.get("/admin/figures/nothing/").status_code == 404
