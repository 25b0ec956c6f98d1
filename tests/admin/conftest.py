"""A browser that is signed in to the back office, and rows in every table."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from agents.models import Agent, ApiToken, LimitKind, PasswordLink, RoleLimit, SpentRefreshToken, TokenFamily
from arrangements import proposals
from arrangements.computation import Schedule
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from audit.models import ListExport, SystemCheck
from casework import claims
from collection import deferrals
from collection.holds import holds
from collection.models import ExchangeRate, ParkedPlacement, PlacementImport
from collection.segments import assignment
from communications.models import (
    Circuit,
    CommunicationLog,
    DatabaseRestore,
    MessageAttempt,
    PendingDispatch,
    ProviderEvent,
    UncertainResolution,
)
from communications.texts import templates
from contact.models import ContactDecision, ContactPreference, ValidationNotice
from creditors.models import CreditorLook
from debtors import calendars
from payments import bank_accounts, credits, posting, provider_events, receipts
from payments.models import BankAccount, Credit, IdempotencyKey, ProviderPayout, ProviderReturn
from payments.receipts import Line
from portal import links
from portal.models import AddressChange, Budget, DigitalActivity, OtpSession, PortalViewing, RevokedDebtorToken
from strategy.models import StrategyRule, StrategyRun, StrategyStep, StrategyUnreached
from tests import factories
from tests.payments.providers.makers import payment_intent
from tests.payments.receipts.makers import receipt
from tests.strategy import makers

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)


class Browser:
    """A test client with the back office's addresses."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.client = Client()
        self.client.force_login(agent)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, data: Any = None, **more: Any) -> Any:
        return self.client.post(
            path, {name: "" if value is None else value for name, value in (data or {}).items()}, **more
        )

    def list(self, model: Any, **query: Any) -> Any:
        return self.get(address(model, "changelist"), **query)

    def act(self, action: str, rows: Any, **fields: Any) -> Any:
        """Choose rows of a list, and an action for them."""
        rows = list(rows)
        data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **fields}
        return self.client.post(address(type(rows[0]), "changelist"), data, follow=True)


def address(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def said(answer: Any) -> list[str]:
    """The messages of a page."""
    return [str(message) for message in answer.context["messages"]]


def errors(answer: Any) -> dict[str, list[str]]:
    """The errors of a page's form."""
    form = answer.context["adminform"].form if "adminform" in answer.context else answer.context["form"]
    return {name: list(found) for name, found in form.errors.items()}


def staff(role: str) -> Agent:
    """A member of staff without a password, which takes long to make."""
    made = Agent.objects.create(username=str(uuid4()), password="!", is_staff=True, first_name="Ann")
    made.groups.add(Group.objects.get(name=role))
    return made


@pytest.fixture
def sign_in(db: None) -> Callable[[str], Browser]:
    return lambda role: Browser(staff(role))


@pytest.fixture
def supervisor_at_desk(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("Supervisor")


@pytest.fixture
def agent_at_desk(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("Agent")


@pytest.fixture
def auditor_at_desk(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("Auditor")


def arrangement(debt: Any, *, status: str = "", **fields: Any) -> Arrangement:
    """Propose a plan of six months on a debt, by the debtor unless ``by`` is given; a ``status`` is set as it is."""
    first = calendars.today(debt.debtor, at=now()) + timedelta(days=14)
    values = {"schedule": Schedule(first=first, number=6), "source": Arrangement.Source.AGENT, "by": None, "now": now()}
    kind = fields.pop("kind", Kind.PLAN)
    made = proposals.propose(kind, debtor=debt.debtor, debt_ids=[debt.pk], **{**values, **fields})
    if status:
        Arrangement.objects.filter(pk=made.pk).update(status=status)
        made.status = status
    return made


def fill(count: int) -> None:
    """Put rows into every table: each debtor with a debt, a payment, a request, a message and whatever else there is."""
    segment, template = factories.segment(), factories.template()
    rule = StrategyRule.objects.create(
        name=f"Rule {uuid4()}",
        segment=segment,
        template=template,
        channel="email",
        trigger=makers.due_after(7),
    )
    run = StrategyRun.objects.create(status="done", date=NOW.date(), rules=[])
    reviewer = staff("Supervisor")
    RoleLimit.objects.get_or_create(role="Agent", kind=LimitKind.DEFERRAL_DAYS, defaults={"value": 365})
    templates.current_versions([template])
    assignment.assign_all(today=NOW.date())
    for number in range(count):
        debt = factories.debt()
        payment = posting.record(debt=debt, amount=Decimal(10), by=reviewer, today=NOW.date())
        arrangement(debt)
        ArrangementPolicy.objects.create(creditor=factories.creditor(str(uuid4())), currency_code="GBP", version=1)
        asked = deferrals.request(debt, debtor=debt.debtor, days=30, reason="I need more time.", now=NOW)
        deferrals.approve(asked, by=reviewer, notes=None, now=NOW)
        deferrals.request(debt, debtor=debt.debtor, days=30, reason="I need more time.", now=NOW)
        log = CommunicationLog.objects.create(
            debtor=debt.debtor, debt=debt, template=template, communication_type="email", status="sent", body="Hello",
            html="<p>Hello</p>", subject="S",
        )  # fmt: skip
        MessageAttempt.objects.create(
            message=log, number=1, began_at=NOW, ended_at=NOW, provider="smtp", result="uncertain", answer="It hung up."
        )
        UncertainResolution.objects.create(
            message=log, decision="sent", by=reviewer, at=NOW, reason="They answered it."
        )
        PendingDispatch.objects.create(message_id=log.pk)
        Circuit.objects.create(provider=str(uuid4())[:30], failures=1)
        restored = NOW + timedelta(hours=DatabaseRestore.objects.count())
        DatabaseRestore.objects.create(dump_taken_at=restored, stopped_at=restored, handled_at=restored)
        CommunicationLog.objects.create(
            debtor=debt.debtor, communication_type="email", status="uncertain", subject="S", body="Hello", attempts=1
        )
        CommunicationLog.objects.create(
            debtor=debt.debtor, debt=debt, communication_type="call_script", status="sent", sent_at=NOW, body="Hello",
            address=debt.debtor.mobile_phone,
        )  # fmt: skip
        CommunicationLog.objects.create(
            debtor=debt.debtor,
            communication_type="sms",
            status="received",
            direction="inbound",
            in_reply_to=log,
            body="Hi",
        )
        StrategyStep.objects.create(rule=rule, debt=debt, anchor=debt.pk, occurrence=NOW.date(), run=run, message=log)
        DigitalActivity.objects.create(debtor=debt.debtor, debt=debt, activity_type="page_view")
        OtpSession.objects.create(address="+447700900001", debtor=debt.debtor, expires_at=now())
        RevokedDebtorToken.objects.create(jti=uuid4(), expires_at=NOW)
        factories.suppress(f"{uuid4()}@example.com", reason="bounced")
        ExchangeRate.objects.create(date=NOW.date() - timedelta(days=count + number), currency_code="GBP", per_euro=1)
        ProviderEvent.objects.create(provider="twilio", event_id=str(uuid4()), received_at=NOW)
        IdempotencyKey.objects.create(
            caller="x", key=str(payment.pk), body_digest="", status=201, answer={}, created_at=NOW
        )
        family = TokenFamily.objects.create(agent=reviewer)
        SpentRefreshToken.objects.create(jti=uuid4(), family=family, spent_at=NOW)
        ApiToken.objects.create(agent=reviewer, digest=str(uuid4()))
        PasswordLink.objects.create(agent=reviewer, email="x@example.com")
        factories.segment()
        templates.current_versions([factories.template()])
        staff("Agent")
        StrategyRule.objects.create(
            name=f"Rule {uuid4()}",
            segment=segment,
            template=template,
            channel="email",
            trigger=makers.due_after(7),
        )
        StrategyRun.objects.create(status="done", date=NOW.date(), dry_run=True, rules=[])
        ContactDecision.objects.create(
            message_id=log.pk,
            channel="email",
            purpose="collection",
            at=NOW,
            verdict="allow",
            stage="sending",
            facts={"channel": "email"},
        )
        ContactPreference.objects.create(debtor=debt.debtor, statement="Evenings only")
        holds.open_hold(reason="vulnerable", debtor=debt.debtor, source="Letter", by=reviewer, now=NOW)
        factories.dispute(debt=debt, portion=Decimal(1))
        ParkedPlacement.objects.create(
            debtor=debt.debtor, row={"firstName": "Gus"}, line=2, digest=str(uuid4()), placed_on=NOW.date()
        )
        ListExport.objects.create(agent_id=reviewer.pk, agent_name="ann", list_name="Debts")
        SystemCheck.objects.create(kind="ledger", status="done", agent_name="ann")
        PlacementImport.objects.create(file_name="march.csv", size=1, status="discarded")
        came = receipt(9, debt.external_reference or "", currency_code=debt.currency_code)
        receipts.book(came, [Line(debt, Decimal(5), to_credit=True)], by=reviewer, today=NOW.date(), now=NOW)
        credit = Credit.objects.get(debtor=debt.debtor)
        credits.propose_refund(credit, amount=Decimal(1), reason="x", by=reviewer, now=NOW)
        intent = payment_intent(debt, receipt=came)
        ProviderReturn.objects.create(receipt=came, kind="refund", amount=1)
        provider_events.store("stripe", str(intent.pk), {}, now=NOW)
        ProviderPayout.objects.create(
            provider="stripe", payout_id=str(intent.pk), amount=1, currency_code="GBP", paid_on=NOW.date(), paid=1,
            returned=0, fees=0,
        )  # fmt: skip
        account = BankAccount(holder="Trust", iban="GB33BUKB20201555555555", currency_code="GBP")
        bank_accounts.propose(account, by=reviewer, now=NOW)
        factories.consent(debt.debtor, "email", NOW)
        factories.note(debtor=debt.debtor, by=reviewer)
        factories.follow_up(debtor=debt.debtor, debt=debt)
        factories.complaint(debtor=debt.debtor)
        factories.document(debtor=debt.debtor)
        Budget.objects.create(
            debtor=debt.debtor, currency_code="GBP", income={"wages": "9.00"}, essentials={}, total_income=9,
            total_essentials=0, left_over=9, percent=50, offered=4,
        )  # fmt: skip
        CreditorLook.objects.create(creditor=factories.creditor(str(uuid4())), name="Ours")
        links.create(debt.debtor, links.Purpose.HOME, now=NOW)
        StrategyUnreached.objects.create(debt=debt, reason="no_rule", since=NOW)
        PortalViewing.objects.create(agent=reviewer, debtor=debt.debtor, page="home")
        AddressChange.objects.create(
            debtor=debt.debtor, kind="email", value="a@b.example", normal_value="a@b.example", expires_at=NOW
        )
        claims.claim(debt.debtor, by=reviewer, now=NOW)
        ValidationNotice.objects.create(debt=debt, sent_at=NOW, received_on=NOW.date(), period_ends_on=NOW.date())
