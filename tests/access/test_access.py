"""The tables of table.py, held against every route that there is."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.test import Client
from django.urls import get_resolver
from django.utils.timezone import now

from agents import sessions
from arrangements import decisions, proposals
from arrangements.computation import Schedule
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from casework.models import FollowUp, Note, SupportRequest
from collection import debts, deferrals, disputes
from collection.holds import holds
from collection.models import (
    CostRule,
    Debt,
    Dispute,
    Hold,
    InterestSchedule,
    ParkedPlacement,
    PlacementImport,
    SeriesRate,
)
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox import outbox
from contact.models import ContactPolicy, ContactPreference
from debtors import calendars
from debtors.models import ContactPoint, Debtor
from payments import bank_accounts, credits, posting
from payments.models import BankAccount, Credit, Payment
from payments.models import ProviderEvent as ProviderPaymentEvent
from portal import tokens as debtor_tokens
from portal.models import AddressChange
from strategy.models import StrategyRule, StrategyRun
from tests import factories
from tests.access import table
from tests.collection.placements.files import ROW, load, text
from tests.conftest import Api
from tests.payments.receipts.makers import receipt
from tests.strategy import makers
from tests.test_architecture import routes

pytestmark = pytest.mark.django_db

STAFF = ("agent", "supervisor", "auditor")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Row = tuple[str, str, list[int], str]


def parse(text: str) -> Iterator[Row]:
    for line in text.strip().splitlines()[1:]:
        if line.strip():
            methods, path, *rest = line.split(maxsplit=7)
            for method in methods.split(","):
                yield method, path, [int(status) for status in rest[:5]], rest[5] if len(rest) > 5 else "{}"


ROWS = list(parse(table.API))
ADMIN_ROWS = list(parse(table.ADMIN_PAGES))


def payment(status: str) -> Payment:
    return posting.record(debt=factories.debt(), amount=Decimal(10), status=status, by=None, today=now().date())


def recalled() -> Debt:
    return debts.amend(factories.debt(), current_status="recalled", by=None, today=now().date())


def offered() -> Any:
    debt = factories.debt()
    return proposals.propose(
        Kind.PLAN,
        debtor=debt.debtor,
        debt_ids=[debt.pk],
        schedule=Schedule(first=calendars.today(debt.debtor, at=now()), number=3),
        by=None,
        source=Arrangement.Source.API,
        now=now(),
    )


def proposed() -> Any:
    made = offered()
    Arrangement.objects.filter(pk=made.pk).update(status=Arrangement.Status.PENDING_APPROVAL)
    return made


def agreed() -> Any:
    return decisions.accept(offered(), by=None, now=now())


def broken() -> Any:
    made = offered()
    Arrangement.objects.filter(pk=made.pk).update(status=Arrangement.Status.BROKEN, broken_on=now().date())
    return made


def terms() -> Any:
    own = factories.creditor(f"Creditor {uuid.uuid4()}")
    return ArrangementPolicy.objects.create(currency_code="GBP", version=1, creditor=own)


def asked() -> Any:
    debt = factories.debt()
    return deferrals.request(debt, debtor=debt.debtor, days=5, reason="I lost my job.", now=now())


def rule() -> StrategyRule:
    template = factories.template()
    return StrategyRule.objects.create(
        name=f"R {template.pk}",
        segment=factories.segment(),
        template=template,
        channel="email",
        trigger=makers.due_after(7),
    )


def run() -> Any:
    return StrategyRun.objects.create(date=now().date(), dry_run=True, status="done", created_at=now())


def point() -> Any:
    return factories.debtor().contact_points.get(kind="phone")


def log() -> Any:
    return outbox.queue(debtor=factories.debtor(), channel="email", subject="Hi", body="Hi", now=now())


def hold(reason: str) -> Any:
    debtor = factories.debtor()
    return holds.open_hold(reason=reason, debtor=debtor, source="Letter", by=None, now=now())


def parked() -> ParkedPlacement:
    known = factories.debtor()
    load(text(ROW | {"email": known.email, "firstName": "Gus", "externalReference": str(known.pk)}))
    return ParkedPlacement.objects.get(debtor=known)


def awaiting() -> Any:
    return disputes.ask_creditor(factories.dispute(), by=factories.agent(), now=now())


REPORT = dict.fromkeys(("rows", "accepted", "known", "refused", "debtors"), 0) | {"parked": [], "ignored": []}


def credit() -> Credit:
    debt = factories.debt(balance=1, external_reference=str(uuid.uuid4()))
    receipt(6, debt.external_reference)
    return Credit.objects.get(debtor=debt.debtor)


def account() -> Any:
    proposed = BankAccount(holder="Trust", iban="GB33BUKB20201555555555", currency_code="GBP")
    return bank_accounts.propose(proposed, by=factories.agent(), now=now())


def payment_event() -> Any:
    return ProviderPaymentEvent.objects.create(
        provider="stripe", event_id=str(uuid.uuid4()), raw={}, received_at=now(), failed_at=now()
    )


def refund() -> Any:
    return credits.propose_refund(credit(), amount=Decimal(5), reason="x", by=factories.agent(), now=now())


MAKERS: dict[str, Callable[[], Any]] = {
    "debtor": factories.debtor,
    "debt": factories.debt,
    "receipt": lambda: receipt(5),
    "credit": credit,
    "refund": refund,
    "account": account,
    "debtor_of_debt": lambda: factories.debt().debtor,
    "payment_event": payment_event,
    "recalled": recalled,
    "entry": lambda: factories.debt().ledger_entries.get(),
    "payment": lambda: payment("completed"),
    "pending": lambda: payment("pending"),
    "asked": asked,
    "offered": offered,
    "proposed": proposed,
    "agreed": agreed,
    "broken": broken,
    "terms": terms,
    "template": factories.template,
    "dispute": factories.dispute,
    "awaiting": awaiting,
    "hold": lambda: hold("vulnerable"),
    "moratorium": lambda: hold("mental_health_moratorium"),
    "log": log,
    "session": lambda: sessions.start(factories.agent(), client_ip="192.0.2.1", user_agent="", now=now()),
    "uncertain": lambda: CommunicationLog.objects.create(
        communication_type="email", status="uncertain", debtor=factories.debtor(), sent_at=now()
    ),
    "note": factories.note,
    "complaint": factories.complaint,
    "document": factories.document,
    "change": lambda: AddressChange.objects.create(
        debtor=factories.debtor(), kind="email", value="a@b.example", normal_value="a@b.example", expires_at=now()
    ),
    "follow_up": factories.follow_up,
    "segment": factories.segment,
    "parked": parked,
    "upload": lambda: PlacementImport.objects.create(file_name="a.csv", size=1, status="checked", report=REPORT),
    "creditor": lambda: factories.creditor(f"Creditor {uuid.uuid4()}"),
    "rule": rule,
    "rate": SeriesRate.objects.first,
    "schedule": InterestSchedule.objects.first,
    "cost_rule": CostRule.objects.first,
    "run": run,
    "agent": factories.agent,
    "point": point,
    "event": lambda: ProviderEvent.objects.create(
        provider="twilio", event_id=str(now()), received_at=now(), failed_at=now()
    ),
    "inbound": lambda: CommunicationLog.objects.create(
        communication_type="sms", direction="inbound", status="received", body="Hi"
    ),
    "policy": lambda: ContactPolicy.objects.order_by("-version")[0],
    "preference": lambda: ContactPreference.objects.create(debtor=factories.debtor(), statement="Evenings only"),
    "task": lambda: CommunicationLog.objects.create(
        communication_type="call_script", status="sent", sent_at=now(), debtor=factories.debtor()
    ),
}


def filled(text: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(MAKERS[found[1]]().pk), text)


def caller(role: str, api_as: Callable[[Any], Api]) -> Api:
    if role == "nobody":
        return Api()
    if role == "debtor":
        return Api(debtor_tokens.issue(factories.debtor(), now=now())[0])
    return api_as(factories.agent(role.capitalize()))


#: What the pages of the back office act on.
ACTED_ON = (
    Debt, Hold, Dispute, SupportRequest, ContactPoint, ContactPolicy, ContactPreference, CommunicationLog, ProviderEvent, Note,
    FollowUp,
)  # fmt: skip


def state(*models: Any) -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in models or (Debtor, Debt, Payment)]


@pytest.mark.parametrize("column", range(5), ids=["nobody", "debtor", *STAFF])
def test_each_caller_gets_what_the_table_says(column: int, api_as: Callable[[Any], Api]):
    role = ("nobody", "debtor", *STAFF)[column]
    wrong = []
    for method, path, statuses, body in ROWS:
        api = caller(role, api_as)
        path, body = filled(path), filled(body)
        before = state()
        answer = api(method, path, None if method == "GET" else json.loads(body))
        if answer.status_code != statuses[column]:
            wrong.append(f"{method} {path} {body}: {answer.status_code}, not {statuses[column]}")
        if answer.status_code >= 400 and state() != before:
            wrong.append(f"{method} {path} {body}: {answer.status_code}, and something changed")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("column", range(5), ids=["nobody", "debtor", *STAFF])
def test_a_method_that_is_not_in_the_table_is_refused(column: int, api_as: Callable[[Any], Api]):
    api = caller(("nobody", "debtor", *STAFF)[column], api_as)
    wrong = []
    for path in dict.fromkeys(path for _, path, _, _ in ROWS):
        listed = {method: statuses[column] for method, known, statuses, _ in ROWS if plain(known) == plain(path)}
        if path in ("/metrics", "/demo/outbox"):
            continue  # Switched off here, for any method.
        # Signing out is open to those whose access token has expired.
        is_closed = set(listed.values()) == {401} and (column > 0 or path != "/auth/logout")
        expected = 401 if is_closed else 405
        for method in set(METHODS) - set(listed):
            answer = api(method, filled(path), {} if method in ("POST", "PUT", "PATCH") else None)
            if answer.status_code != expected:
                wrong.append(f"{method} {path}: {answer.status_code}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_staff_without_a_role_may_nothing(api_as: Callable[[Any], Api]):
    api = api_as(factories.agent(None))
    open_to_all = {path for _, path, statuses, _ in ROWS if len(set(statuses)) == 1} | {"/auth/me", "/auth/logout"}
    wrong = []
    for method, path, statuses, body in ROWS:
        if path in open_to_all or statuses[2] == 401:
            continue
        answer = api(method, filled(path), None if method == "GET" else json.loads(filled(body)))
        if answer.status_code != 403:
            wrong.append(f"{method} {path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_no_path_of_the_api_answers_html(api: Api, anonymous: Api):
    pages = {"/", "/docs", "/demo/outbox", "/demo/payments/{debt}", "/unsubscribe/x"}
    accepts = {"Accept": "text/html,application/xhtml+xml"}
    for path in dict.fromkeys(path for _, path, _, _ in ROWS if path not in pages):
        for some in (api, anonymous):
            for method in (*METHODS, "HEAD", "OPTIONS", "TRACE"):
                for made in (
                    filled(path),
                    re.sub(r"\{\w+\}", "x", path),
                    filled(path) + "/",
                    path.split("{")[0] + "/nothing",
                ):
                    answer = some(method, made, **accepts)
                    kind = answer.headers.get("Content-Type", "")
                    assert "html" not in kind or not answer.content, (method, made, answer.status_code, kind)
                    assert answer.status_code < 500 or answer.status_code == 503, (method, made)


def plain(route: str) -> str:
    """Return a route as the table writes it, but for the names of what is put in."""
    return "/" + re.sub(
        r"<[^>]+>|\{\w+\}|(?<=open/)x|(?<=unsubscribe/)x|(?<=colours/)0b5a8a|(?<=logo/)x|(?<=email/)mailgun"
        r"|(?<=callbacks/)twilio|(?<=providers/)stripe|(?<=admin/work/)[a-z]+|(?<=admin/figures/)[a-z]+"
        r"|(?<=>/)home(?=/)|(?<=\}/)home(?=/)",
        "<>",
        route,
    ).lstrip("/")


def test_every_route_is_in_the_table():
    listed = {plain(path) for _, path, _, _ in ROWS}
    listed |= {plain(line.split()[1]) for line in (table.PORTAL + table.SIGN_IN.strip()).strip().splitlines()}
    of_back_office = {plain(path) for _, path, _, _ in ADMIN_ROWS}
    found = {plain(route) for route, _ in routes(get_resolver().url_patterns)} - of_back_office
    assert found - listed == set()
    assert listed - found == set()


def test_every_method_of_a_view_is_in_the_table():
    listed = {(method, plain(path)) for method, path, _, _ in ROWS}
    for route, pattern in routes(get_resolver().url_patterns):
        for method in getattr(pattern.callback, "actions", None) or {}:
            assert method == "head" or (method.upper(), plain(route)) in listed, (method, route)


@pytest.mark.parametrize("role", [None, *STAFF])
def test_the_debtors_pages_accept_only_debtors(role: str | None, client: Client):
    if role:
        client.force_login(factories.agent(role.capitalize()))
    for line in table.PORTAL.strip().splitlines():
        method, path, status = line.split()
        path = path.replace("{id}", str(uuid.UUID(int=0))).replace("{token}", "x").replace("<slug:kind>", "phone")
        assert client.generic(method, path).status_code == int(status), line


# --- The back office


@pytest.mark.parametrize("role", [None, "debtor", *STAFF])
def test_the_pages_of_sign_in_lead_nobody_past_the_password(role: str | None):
    client = admin_client(role)
    for line in table.SIGN_IN.strip().splitlines():
        method, path, status = line.split()
        answer = client.generic(method, re.sub(r"<[^>]+>", "x", path))
        assert answer.status_code == int(status), line
        assert answer.status_code != 302 or answer["Location"] == "/admin/login/", line


def admin_rows() -> dict[str, list[str]]:
    lines = [line.split() for line in table.ADMIN.strip().splitlines()[1:]]
    return {model: allowed for model, *allowed in lines}


def admin_client(role: str | None) -> Client:
    if role == "debtor":
        return Client(headers={"Authorization": f"Bearer {debtor_tokens.issue(factories.debtor(), now=now())[0]}"})
    client = Client()
    if role:
        client.force_login(factories.agent(role.capitalize()))
    return client


def test_every_model_of_the_back_office_is_in_the_table():
    registered = {f"{model._meta.app_label}/{model._meta.model_name}" for model in site._registry}
    assert registered == set(admin_rows())


@pytest.mark.parametrize("column", range(3), ids=STAFF)
def test_each_role_sees_and_changes_what_the_table_says(column: int):
    for make in MAKERS.values():
        make()
    client = admin_client(STAFF[column])
    wrong = []
    for name, allowed in admin_rows().items():
        may = set(allowed[column]) - {"-"}
        first = apps.get_model(*name.split("/")).objects.first()
        one = f"/admin/{name}/{first.pk if first else 0}"
        asked_for = {
            "v": [("GET", f"/admin/{name}/"), ("GET", f"{one}/change/")],
            "a": [("GET", f"/admin/{name}/add/"), ("POST", f"/admin/{name}/add/")],
            "c": [("POST", f"{one}/change/")],
            "d": [("GET", f"{one}/delete/"), ("POST", f"{one}/delete/")],
        }
        if first:
            asked_for["v"].append(("GET", f"{one}/history/"))
        for right, pages in asked_for.items():
            for method, page in pages:
                status = client.generic(method, page).status_code
                if (status in (200, 302)) != (right in may) or status not in (200, 302, 403):
                    wrong.append(f"{method} {page}: {status}, {'may' if right in may else 'may not'}")
    assert not wrong, "\n".join(wrong)


def test_anonymous_callers_are_redirected_to_the_back_offices_sign_in():
    for client in (admin_client(None), admin_client("debtor")):
        for name in admin_rows():
            for page in ("", "add/", "0/change/", "0/delete/", "0/history/", "0/"):
                for ask in (client.get, client.post):
                    answer = ask(f"/admin/{name}/{page}")
                    assert answer.status_code == 302, (name, page)
                    assert answer["Location"].startswith("/admin/login/") or page == "0/", (name, page)


@pytest.mark.parametrize("column", range(5), ids=["nobody", "debtor", *STAFF])
def test_the_other_pages_of_the_back_office(column: int):
    client = admin_client((None, "debtor", *STAFF)[column])
    wrong = []
    for method, path, statuses, body in ADMIN_ROWS:
        page = re.sub(r"<[^>]+>", "1", filled(path))
        before = state(*ACTED_ON)
        # As a page sends it: with the token, which is all that some forms have.
        form = {"csrfmiddlewaretoken": "x"} | dict(parse_qsl(body))
        answer = client.get(page) if method == "GET" else client.post(page, form)
        sent_to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
        if answer.status_code != statuses[column]:
            wrong.append(f"{method} {path}: {answer.status_code}, not {statuses[column]}")
        if column < 2 and not sent_to_sign_in and path not in ("/admin", "/admin/login/"):
            wrong.append(f"{method} {path}: not sent to sign in")
        is_done = method == "POST" and answer.status_code == 302 and not sent_to_sign_in
        if not is_done and state(*ACTED_ON) != before:
            wrong.append(f"{method} {path}: {answer.status_code}, and something changed")
    assert not wrong, "\n".join(wrong)


def test_every_page_of_the_back_office_is_in_the_table():
    standard = r"(add|<path:object_id>/(history|delete|change))?/?|<path:object_id>/"
    models = "|".join(admin_rows())
    missing = []
    for method in ("GET", "POST"):
        pages = {plain(path) for listed, path, _, _ in ADMIN_ROWS if listed == method}
        pages |= {"/admin/logout/", plain("admin/(?P<url>.*)$")}
        for route, _ in admin_routes():
            listed = re.fullmatch(rf"admin/({models})/({standard})", route) or plain(route) in pages
            if not listed and "app_label" not in route:
                missing.append(f"{method} {route}")
    assert missing == [], "\n".join(missing)


def admin_routes() -> Iterator[tuple[str, Any]]:
    (resolver,) = [found for found in get_resolver().url_patterns if str(found.pattern) == "admin/"]
    for pattern in resolver.url_patterns:
        for inner in getattr(pattern, "url_patterns", [None]):
            yield "admin/" + str(pattern.pattern) + (str(inner.pattern) if inner else ""), inner
