"""axe-core finds no serious fault in the pages of the back office, light and dark, on a desk and on a phone."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from agency.models import AgencyProfile
from agents.models import Agent
from arrangements.models import Arrangement
from casework import figures
from collection.models import Debt, DeferralRequest, PlacementImport
from communications.models import CommunicationLog, CommunicationTemplate
from debtors.models import Debtor
from payments.models import Payment
from strategy.models import StrategyRun
from tests.admin.browser import browsers, faults
from tests.admin.conftest import address, fill, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("beside_a_browser")]


def pages() -> dict[str, str]:
    """The pages on which agents spend their day."""
    lists = {"people": Debtor, "debts": Debt, "messages": CommunicationLog, "requests": DeferralRequest}
    rows: dict[str, Any] = {
        "person": Debtor.objects.filter(debts__isnull=False).first(),
        "debt": Debt.objects.first(),
        "request": DeferralRequest.objects.filter(status="pending").first(),
        "message": CommunicationLog.objects.filter(direction="outbound", body="Hello", status="sent").first(),
        "template": CommunicationTemplate.objects.first(),
        "run": StrategyRun.objects.filter(dry_run=False).first(),
        "arrangement": Arrangement.objects.first(),
    }
    return {
        "home": reverse("admin:index"),
        "search": f"{reverse('find')}?q=doe",
        "work": reverse("work", args=["deferrals"]),
        "new payment": address(Payment, "add"),
        "health": reverse("system-health"),
        "agency": address(AgencyProfile, "changelist"),
        "import": address(PlacementImport, "add"),
        "payment": reverse("admin:debtors_debtor_pay", args=[rows["person"].pk]),
        "negotiation": address(Debtor, "change", rows["arrangement"].debtor_id) + "?panel=arrange",
        "write": reverse("admin:debtors_debtor_write", args=[rows["person"].pk]),
        "verify": reverse("admin:debtors_debtor_verify", args=[rows["person"].pk]),
        "preview": address(CommunicationTemplate, "preview", rows["template"].pk),
        **{name: address(model, "changelist") for name, model in lists.items()},
        **{name: address(type(row), "change", row.pk) for name, row in rows.items()},
    }


def found_on(site: str, chosen: dict[str, str], agent: Agent, *, scheme: str, width: int) -> dict[str, Any]:
    """Open pages as an agent; return their faults, and those that are wider than the screen."""
    client = Client()
    client.force_login(agent)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    found: dict[str, Any] = {}
    viewport = {"width": width, "height": 844}
    with browsers(site, color_scheme=scheme, viewport=viewport, reduced_motion="reduce") as (page,):
        page.context.add_cookies([{**cookie, "url": site}])  # type: ignore[typeddict-item]
        for name, path in chosen.items():
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, name
            assert page.locator("main").count() == 1, name
            if wrong := faults(page):
                found[name] = wrong
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found[f"{name} is too wide"] = True
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_a_call_have_no_serious_fault(live_server: Any, scheme: str):
    fill(2)
    figures.refresh(now=now())
    names = (
        *("home", "search", "work", "new payment", "messages", "person", "write", "verify", "preview", "request"),
        *("negotiation", "arrangement"),
    )
    chosen = {name: path for name, path in pages().items() if name in names}
    assert found_on(live_server.url, chosen, staff("Supervisor"), scheme=scheme, width=1280) == {}


@pytest.mark.deep
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_pages_have_no_serious_fault(live_server: Any, scheme: str, width: int):
    fill(3)
    figures.refresh(now=now())
    assert len(pages()) == 23
    assert found_on(live_server.url, pages(), staff("Supervisor"), scheme=scheme, width=width) == {}


def test_a_fault_is_found(live_server: Any):
    with browsers(live_server.url) as (page,):
        page.set_content("<html lang='en'><title>x</title><main><h1>x</h1><input><img src='data:,'></main></html>")
        assert {fault.split(":")[0] for fault in faults(page)} >= {"image-alt", "label"}
