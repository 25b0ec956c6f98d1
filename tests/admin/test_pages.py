"""Every page of the back office: permissions and numbers of queries."""

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteMixin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from agency.models import AgencyProfile
from agents import sign_in_limits
from agents.models import Agent
from agents.roles import APPS
from collection.models import Debt, DeferralRequest
from communications.models import CommunicationLog
from ddc.common.admin import windows
from debtors.models import Debtor
from payments import posting
from portal.models import DigitalActivity
from tests import factories
from tests.admin.conftest import NOW, Browser, address, fill

#: Tables without a page of their own: that of their arrangement, receipt, credit, person, rule or run shows them, or home.
PARTS = {
    "arrangements.ArrangementDebt", "arrangements.Instalment", "arrangements.ArrangementEvent", "payments.Suspense",
    "payments.ReceiptAllocation", "payments.CreditEntry", "payments.ProviderReturn", "payments.CreditorReference",
    "payments.PaymentRequest",
    "casework.IdentityCheck", "casework.DayFigures", "strategy.StrategyRuleVersion", "strategy.StrategySlice",
}  # fmt: skip
MODELS = sorted(
    (model for label in APPS for model in apps.get_app_config(label).get_models() if model._meta.label not in PARTS),
    key=lambda model: model._meta.label,
)
#: The agency's values are one page without a list: see test_agency.py.
SHOWN: list[Any] = [*(model for model in MODELS if model is not AgencyProfile), Group]

#: What each role may add in the back office; debtors ask for deferrals.
ADDED_BY: dict[str, set[str]] = {
    "Auditor": set(),
    "Agent": {"hold", "dispute", "creditor", "debtor", "debt", "payment", "communicationtemplate", "contactpreference",
              "note", "followup", "receipt", "bankaccount"},
    "Supervisor": {
        "creditor", "debtor", "debt", "payment", "communicationtemplate", "segment", "strategyrule", "strategyrun",
        "contactpoint", "exchangerate", "placementimport", "hold", "dispute", "contactpreference", "contactpolicy", "agent",
        "note", "followup", "receipt", "rolelimit", "arrangementpolicy", "seriesrate", "interestschedule", "costrule",
        "bankaccount", "creditorlook",
    },
}  # fmt: skip
DELETED_BY: dict[str, set[str]] = {
    "Auditor": set(),
    "Agent": set(),
    "Supervisor": {
        "creditor", "debtor", "debt", "payment", "communicationtemplate", "segment", "strategyrule", "exchangerate",
        "rolelimit", "creditorlook",
    },
}  # fmt: skip


def test_every_table_is_in_the_back_office():
    registered = set(admin.site._registry)
    assert [model._meta.label for model in MODELS if model not in registered] == []


def test_the_back_office_shows_the_label_collections(supervisor_at_desk: Browser):
    assert address(apps.get_model("collections.Debt"), "changelist") == "/admin/collections/debt/"
    page = supervisor_at_desk.get("/admin/")
    assert [app["name"] for app in page.context["app_list"]].count("Collections") == 1


def test_lists_take_the_same_queries_for_one_row_and_for_fifty(sign_in: Any, remembered_roles: None):
    browsers = [sign_in(role) for role in ("Supervisor", "Auditor")]
    fill(1)
    few = [{model: _warm(browser, address(model, "changelist")) for model in SHOWN} for browser in browsers]
    fill(49)
    for browser, before in zip(browsers, few, strict=True):
        for model in SHOWN:
            many = _queries_of(browser, address(model, "changelist"))
            assert many <= before[model] + 1, (
                f"{model._meta.label}: {before[model]} queries for few rows, {many} for many"
            )


def test_the_page_of_a_row_takes_the_same_queries_for_any_number_of_related_rows(sign_in: Any, remembered_roles: None):
    browsers = [sign_in(role) for role in ("Supervisor", "Auditor")]
    fill(1)
    pages = {model: address(model, "change", model.objects.first().pk) for model in SHOWN}
    few = [{model: _warm(browser, page) for model, page in pages.items()} for browser in browsers]
    debtor, debt = Debtor.objects.get(), Debt.objects.get()
    for _ in range(30):
        posting.record(debt=debt, amount=Decimal(1), by=None, today=NOW.date())
        factories.debt(debtor=debtor)
        DigitalActivity.objects.create(debtor=debtor, debt=debt, activity_type="page_view")
        CommunicationLog.objects.create(
            debtor=debtor, debt=debt, communication_type="sms", status="sent", body="x" * 9000
        )
    for browser, before in zip(browsers, few, strict=True):
        for model, page in pages.items():
            assert _queries_of(browser, page) <= before[model] + 1, page


def _warm(browser: Browser, page: str) -> int:
    browser.get(page)  # what a process keeps in memory is there by now
    return _queries_of(browser, page)


def _queries_of(browser: Browser, page: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        answer = browser.get(page)
    assert answer.status_code == 200, page
    return len(asked)


@pytest.mark.parametrize("role", ["Supervisor", "Auditor", "Agent"])
def test_a_role_adds_and_deletes_what_it_may_and_nothing_else(sign_in: Any, role: str):
    browser = sign_in(role)
    fill(1)
    for model in SHOWN:
        name = model._meta.model_name
        may_add, may_delete = name in ADDED_BY[role], name in DELETED_BY[role]
        assert browser.get(address(model, "add")).status_code == (200 if may_add else 403), name
        if not may_add:
            assert browser.post(address(model, "add")).status_code == 403, name
        page = address(model, "delete", model.objects.first().pk)
        assert browser.get(page).status_code == (200 if may_delete else 403), name
        if not may_delete:
            count = model.objects.count()
            assert browser.post(page, {"post": "yes"}).status_code == 403, name
            browser.act("delete_selected", model.objects.all(), post="yes")
            assert model.objects.count() == count, name


def test_an_auditor_is_offered_no_action_and_saves_nothing(auditor_at_desk: Browser):
    fill(1)
    for model in SHOWN:
        assert (
            not auditor_at_desk.list(model).context["actions_on_top"]
            or not auditor_at_desk.list(model).context["action_form"]
        ), model._meta.label
        page = auditor_at_desk.post(address(model, "change", model.objects.first().pk), {"name": "x"})
        assert page.status_code == 403, model._meta.label


@pytest.mark.parametrize(
    "words", ["john", "Doe", "%", "\0", "x" * 3000, "0193a0f0-0000-7000-8000-000000000000", "'", "+44 7700"]
)
def test_any_text_can_be_searched_for(supervisor_at_desk: Browser, words: str):
    for model in SHOWN:
        answer = supervisor_at_desk.client.get(address(model, "changelist"), {"q": words}, follow=True)
        assert answer.status_code == 200, model._meta.label


def test_debtors_are_offered_by_search_and_never_all_listed(agent_at_desk: Browser):
    wanted = factories.debtor(first_name="Zoë", last_name="Quint")
    fill(30)
    page = agent_at_desk.get(address(apps.get_model("collections.Debt"), "add"))
    assert page.content.count(b"john") == 0
    found = agent_at_desk.get(
        "/admin/autocomplete/", app_label="collections", model_name="debt", field_name="debtor", term="zoe qui"
    )
    assert found.json()["results"] == [{"id": str(wanted.pk), "text": f"Zoë Quint, {wanted.email}"}]


def test_a_debt_is_offered_with_its_debtor_and_balance(agent_at_desk: Browser):
    debt = factories.debt(external_reference="A1", debtor=factories.debtor(last_name="Quint"))
    query = {"app_label": "payments", "model_name": "payment", "field_name": "debt"}
    found = agent_at_desk.get("/admin/autocomplete/", **query, term="quint").json()
    assert found["results"] == [{"id": str(debt.pk), "text": "A1, ABC Credit Corp, John Quint, 1,000.00 GBP, active"}]
    fill(20)
    with CaptureQueriesContext(connection) as asked:
        assert len(agent_at_desk.get("/admin/autocomplete/", **query, term="").json()["results"]) == 20
    assert len(asked) < 10
    page = agent_at_desk.get(address(Debt, "change", debt.pk), panel="payments").content.decode()
    assert f"/admin/payments/payment/add/?debt={debt.pk}" in page


def test_options_are_for_staff_only(client: Any, db: None):
    path = "/admin/autocomplete/?app_label=payments&model_name=payment&field_name=debt"
    assert client.get(path).status_code == 302
    client.force_login(Agent.objects.create(username="nobody"))
    assert client.get(path).status_code == 302


def test_an_anonymous_caller_is_redirected_to_the_sign_in(client: Any, db: None):
    answer = client.get(address(apps.get_model("payments.Payment"), "changelist"))
    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")
    assert client.get(answer.url).status_code == 200


def test_the_sign_in_locks_out_a_caller_who_guesses_passwords(client: Any, db: None):
    agent = factories.agent("Agent")
    guess = {"username": agent.username, "password": "wrong"}
    answers = [client.post("/admin/login/", guess).status_code for _ in range(sign_in_limits.PER_NAME_AND_ADDRESS + 1)]
    assert answers == [200] * sign_in_limits.PER_NAME_AND_ADDRESS + [429]
    right = client.post("/admin/login/", guess | {"password": factories.PASSWORD})
    assert right.status_code == 429


@pytest.mark.parametrize(
    "query",
    [
        "p=x&all=&_facets=True", "p=99999", "o=99.-7", "x=y", "status__exact=nonsense", "debt__id__exact=x", "id__in=1",
        "created_at__gte=soon", "debt__debtor__password=1",
    ],
)  # fmt: skip
def test_no_query_breaks_a_list(supervisor_at_desk: Browser, query: str):
    for model in SHOWN:
        answer = supervisor_at_desk.client.get(f"{address(model, 'changelist')}?{query}", follow=True)
        assert answer.status_code in (200, 400), model._meta.label


@pytest.mark.parametrize(
    "query", ["debt=x&segment=x&debtor=x&template=x", "date=x&payment_date=x", "_to_field=x", "_popup=1"]
)
def test_no_query_breaks_a_form(supervisor_at_desk: Browser, query: str):
    for model in SHOWN:
        answer = supervisor_at_desk.get(f"{address(model, 'add')}?{query}")
        assert answer.status_code in (200, 400, 403), model._meta.label


def test_the_pages_are_checked_without_a_database():
    """Before the first ``migrate`` there are no tables; pytest refuses to let this test near one."""
    assert admin.site.check(list(apps.get_app_configs())) == []


def test_forms_search_large_tables_and_list_no_row_of_them(supervisor_at_desk: Browser):
    request = RequestFactory().get("/")
    request.user = Agent(is_superuser=True)
    searched, listed = [], []
    for model, page in admin.site._registry.items():
        if model is DeferralRequest:
            continue  # It has a page of its own, which shows no field of the row.
        rows = [None] * page.has_add_permission(request) + [model()] * page.has_change_permission(request)
        for row in rows:
            form = page.get_form(request, row, change=row is not None)
            for name, field in form.base_fields.items():
                table = getattr(getattr(field, "queryset", None), "model", None)
                if table is not None and table._meta.db_table in windows.LARGE:
                    widget = getattr(field.widget, "widget", field.widget)
                    is_searched = isinstance(widget, AutocompleteMixin)
                    (searched if is_searched else listed).append(f"{model._meta.label}.{name}")
    assert listed == []
    assert "payments.Payment.debt" in searched


@pytest.mark.parametrize(("role", "may"), [("Supervisor", True), ("Agent", False)])
def test_an_empty_list_says_where_rows_come_from_and_links_what_the_role_may(sign_in: Any, role: str, may: bool):
    content = sign_in(role).list(Debt).content.decode()
    assert "Creditors place debts by files or over the API." in content
    assert ("/admin/collections/placementimport/add/" in content.partition("No debts found")[2]) is may
    searched = sign_in(role).list(Debt, q="smith").content.decode()
    assert "reset them" in searched
    assert "Creditors place debts" not in searched
