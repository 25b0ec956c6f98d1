"""The back office writes through the rules: what they refuse shows at the field, or as a message, and nothing changed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from agents.models import Agent
from collection import debts
from collection.models import Debt, ExchangeRate, LedgerEntry, Segment
from communications.models import CommunicationLog, CommunicationTemplate
from debtors.models import Consent, ContactPoint, Debtor
from payments import posting, reconciliation
from payments.models import Payment
from strategy.models import StrategyRule, StrategyRun
from tests import factories
from tests.admin.conftest import NOW, Browser, address, errors, said

PERSON = {"first_name": "Zoë", "last_name": "Quint", "email": "zoe@example.com", "country_code": "GB"}


def balance(debt: Debt) -> Decimal:
    debt.refresh_from_db()
    return debt.current_balance


def pay(debt: Debt, amount: int = 100, **values: Any) -> Payment:
    return posting.record(**{"debt": debt, "amount": Decimal(amount), "by": None, "today": NOW.date()} | values)


# --- Debtors


def test_an_agent_enters_a_debtor(agent_at_desk: Browser):
    answer = agent_at_desk.post(
        address(Debtor, "add"), PERSON | {"mobile_phone": "07911 123456", "language_preference": "English"}
    )
    assert answer.status_code == 302
    made = Debtor.objects.get()
    assert (made.mobile_phone, made.language_preference, made.legal_entity) == ("+447911123456", "en", None)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "TAKEN@example.com"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"mobile_phone": "12"}, "mobile_phone"),
        ({"dob": "2999-01-01"}, "dob"),
        ({"first_name": "", "last_name": ""}, "first_name"),
        ({"country_code": "XX"}, "country_code"),
        ({"language_preference": "gibberish!"}, "language_preference"),
        ({"first_name": "x" * 101}, "first_name"),
        ({"first_name": "a\0b"}, "first_name"),
    ],
)
def test_what_a_debtor_may_not_be_shows_at_the_field(agent_at_desk: Browser, values: dict[str, str], field: str):
    factories.debtor(email="taken@example.com")
    answer = agent_at_desk.post(address(Debtor, "add"), PERSON | values)
    assert (answer.status_code, list(errors(answer))) == (200, [field])
    assert Debtor.objects.count() == 1


def test_another_phone_ends_the_debtors_tokens_here_too(agent_at_desk: Browser):
    debtor = factories.debtor(**PERSON)
    page = address(Debtor, "change", debtor.pk)
    agent_at_desk.post(page, PERSON | {"mobile_phone": "+447700900999", "city": "Leeds"})
    debtor.refresh_from_db()
    assert (debtor.token_version, debtor.city) == (2, "Leeds")


def test_a_debtor_with_debts_stays(supervisor_at_desk: Browser):
    debtor, free = factories.debt().debtor, factories.debtor()
    answer = supervisor_at_desk.post(address(Debtor, "delete", debtor.pk), {"post": "yes"}, follow=True)
    assert said(answer) == ["This debtor has debts, messages, holds or notes, so it cannot be deleted."]
    answer = supervisor_at_desk.act("delete_selected", [debtor, free], post="yes")
    assert said(answer) == [
        "1 debtor deleted.",
        "John Doe: This debtor has debts, messages, holds or notes, so it cannot be deleted.",
    ]
    assert list(Debtor.objects.all()) == [debtor]


# --- Debts


def test_a_debt_is_placed_with_its_ledger(agent_at_desk: Browser):
    debtor = factories.debtor()
    values = {
        "debtor": debtor.pk, "creditor": factories.creditor().pk, "currency_code": "JPY", "original_balance": "5000",
        "current_status": "active",
    }  # fmt: skip
    assert agent_at_desk.post(address(Debt, "add"), values).status_code == 302
    debt = Debt.objects.get()
    assert (debt.current_balance, debt.placement_date) == (5000, now().date())
    assert [(entry.kind, entry.by) for entry in debt.ledger_entries.all()] == [("placement", agent_at_desk.agent)]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"original_balance": "1.5"}, "original_balance"),
        ({"original_balance": "-5"}, "original_balance"),
        ({"original_balance": "0"}, "original_balance"),
        ({"original_balance": "1_000"}, "original_balance"),
        ({"original_balance": "1e3"}, "original_balance"),
        ({"original_balance": "NaN"}, "original_balance"),
        ({"original_balance": "9" * 30}, "original_balance"),
        ({"current_balance": "0.5"}, "current_balance"),
        ({"current_status": "paid"}, "current_status"),
        ({"p2p_score": "1.001"}, "p2p_score"),
        ({"external_reference": "TAKEN"}, "external_reference"),
        ({"debtor": "0193a0f0-0000-7000-8000-000000000000"}, "debtor"),
        ({"currency_code": "ABC"}, "currency_code"),
        ({"due_date": "soon"}, "due_date"),
    ],
)
def test_what_a_debt_may_not_be_shows_at_the_field(agent_at_desk: Browser, values: dict[str, str], field: str):
    debt = factories.debt(external_reference="TAKEN")
    given = {
        "debtor": debt.debtor_id, "creditor": debt.creditor_id, "currency_code": "JPY",
        "original_balance": "5000", "current_status": "active",
    }  # fmt: skip
    answer = agent_at_desk.post(address(Debt, "add"), given | values)
    assert (answer.status_code, list(errors(answer))) == (200, [field])
    assert LedgerEntry.objects.count() == 1


def test_a_debts_page_moves_no_money(supervisor_at_desk: Browser):
    debt = factories.debt()
    values = {
        "creditor": factories.creditor("Other").pk, "current_balance": "1", "original_balance": "1", "current_status": "settled",
        "currency_code": "USD", "placement_date": "2026-01-01",
    }  # fmt: skip
    assert supervisor_at_desk.post(address(Debt, "change", debt.pk), values).status_code == 302
    assert balance(debt) == 1000
    assert (debt.original_creditor, debt.current_status, debt.currency_code) == ("Other", "active", "GBP")


def test_a_supervisor_corrects_a_balance(supervisor_at_desk: Browser):
    debt = factories.debt()
    page = f"/admin/collections/debt/{debt.pk}/correct_amounts/"
    values = {"current_balance": "900", "original_balance": "1000.00", "currency_code": "GBP"}
    assert supervisor_at_desk.get(page).status_code == 200
    assert supervisor_at_desk.post(page, values).status_code == 302
    assert balance(debt) == 900
    entry = LedgerEntry.objects.get(kind="adjustment")
    assert (entry.amount, entry.by) == (-100, supervisor_at_desk.agent)

    pay(debt)
    answer = supervisor_at_desk.post(page, values | {"original_balance": "2000", "current_balance": "800"})
    assert errors(answer) == {
        "original_balance": ["This debt has payments, so its currency and original balance can't be changed."]
    }
    seen = {"if_unchanged_since": "2026-01-01T00:00:00+00:00"}
    answer = supervisor_at_desk.post(page, values | {"current_balance": "5"} | seen)
    assert list(errors(answer)) == ["__all__"]
    assert supervisor_at_desk.post(page, values | {"if_unchanged_since": "x"}).status_code == 200
    assert balance(debt) == 800


def test_an_agent_corrects_no_balance_and_closes_no_debt(agent_at_desk: Browser):
    debt = factories.debt()
    page = f"/admin/collections/debt/{debt.pk}/"
    assert agent_at_desk.get(f"{page}correct_amounts/").status_code == 403
    assert agent_at_desk.post(f"{page}correct_amounts/", {"current_balance": "0"}).status_code == 403
    assert b"correct_amounts" not in agent_at_desk.get(f"{page}change/").content
    answer = agent_at_desk.post(f"{page}change_status/", {"current_status": "settled"})
    assert errors(answer) == {"__all__": ["You do not have permission for this."]}
    assert balance(debt) == 1000
    assert agent_at_desk.post(f"{page}change_status/", {"current_status": "disputed"}).status_code == 302
    debt.refresh_from_db()
    assert debt.current_status == "disputed"


def test_a_supervisor_closes_a_debt_and_opens_it_again(supervisor_at_desk: Browser):
    debt = factories.debt()
    page = f"/admin/collections/debt/{debt.pk}/change_status/"
    supervisor_at_desk.post(page, {"current_status": "settled"})
    assert balance(debt) == 0
    answer = supervisor_at_desk.post(page, {"current_status": "disputed"})
    assert list(errors(answer)) == ["current_status"]
    supervisor_at_desk.post(page, {"current_status": "active"})
    assert balance(debt) == 1000


def test_a_status_is_set_by_hand_with_reason_and_end_and_gives_way_to_a_record(agent_at_desk: Browser):
    debt = factories.debt()
    page = f"/admin/collections/debt/{debt.pk}/"
    values = {"current_status": "payment_plan", "status_reason": "Agreed by phone.", "status_until": "2099-01-31"}
    assert agent_at_desk.post(f"{page}change_status/", values).status_code == 302
    content = agent_at_desk.get(f"{page}change/", panel="edit").content.decode()
    assert "until 2099-01-31: Agreed by phone." in content
    dispute = factories.dispute(debt=debt)
    answer = agent_at_desk.post(f"{page}change_status/", {"current_status": "active"})
    (refusal,) = errors(answer)["current_status"]
    assert f"the open dispute {dispute.pk}" in refusal


def test_an_auditor_does_nothing_to_a_debt(auditor_at_desk: Browser):
    debt = factories.debt()
    for page in ("correct_amounts", "change_status"):
        path = f"/admin/collections/debt/{debt.pk}/{page}/"
        assert auditor_at_desk.get(path).status_code == 403
        assert auditor_at_desk.post(path, {"current_status": "disputed"}).status_code == 403
    debt.refresh_from_db()
    assert debt.current_status == "active"


def test_debts_with_payments_are_kept_and_others_deleted(supervisor_at_desk: Browser):
    kept, gone = factories.debt(external_reference="A1"), factories.debt()
    pay(kept)
    answer = supervisor_at_desk.act("delete_selected", [kept, gone], post="yes")
    assert said(answer)[0] == "1 debt deleted."
    assert said(answer)[1].startswith("A1: This debt has payments")
    assert list(Debt.objects.all()) == [kept]
    assert sum(LedgerEntry.objects.filter(debt_id=gone.pk).values_list("amount", flat=True)) == 0


def test_a_bulk_delete_asks_first(supervisor_at_desk: Browser):
    debt = factories.debt()
    answer = supervisor_at_desk.act("delete_selected", [debt])
    assert b"Are you sure" in answer.content
    assert Debt.objects.exists()


def test_a_deleted_debt_causes_no_error(supervisor_at_desk: Browser):
    for page in ("change", "delete", "correct_amounts", "change_status"):
        path = f"/admin/collections/debt/0193a0f0-0000-7000-8000-000000000000/{page}/"
        assert supervisor_at_desk.get(path).status_code in (302, 404), page
        assert supervisor_at_desk.get(path.replace("0193a0f0-0000-7000-8000-000000000000", "x")).status_code in (
            302,
            404,
        )


# --- Payments


def test_an_agent_records_a_payment(agent_at_desk: Browser):
    debt = factories.debt()
    values = {"debt": debt.pk, "amount": "250.50", "payment_method": "cash", "status": "completed"}
    assert agent_at_desk.post(address(Payment, "add"), values).status_code == 302
    assert balance(debt) == Decimal("749.50")
    made = Payment.objects.get()
    assert (made.recorded_by, made.currency_code, made.payment_date) == (agent_at_desk.agent, "GBP", now().date())
    assert balance(debt) == Decimal("749.50")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount": "1000.01"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "a lot"}, "amount"),
        ({"amount": "١٢"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"currency_code": "USD"}, "currency_code"),
        ({"processor_txn_id": "TAKEN"}, "processor_txn_id"),
        ({"status": "lost"}, "status"),
        ({"debt": "x"}, "debt"),
    ],
)
def test_what_a_payment_may_not_be_shows_at_the_field(agent_at_desk: Browser, values: dict[str, str], field: str):
    pay(factories.debt(), processor_txn_id="TAKEN")
    debt = factories.debt()
    given = {"debt": debt.pk, "amount": "10", "payment_method": "cash", "status": "completed"}
    answer = agent_at_desk.post(address(Payment, "add"), given | values)
    assert (answer.status_code, list(errors(answer))) == (200, [field])
    assert (balance(debt), Payment.objects.count()) == (1000, 1)


def payment_form(payment: Payment, **values: Any) -> dict[str, Any]:
    payment.refresh_from_db()
    return {
        "debt": payment.debt_id, "amount": payment.amount, "currency_code": payment.currency_code,
        "payment_method": payment.payment_method, "status": payment.status, "payment_date": payment.payment_date,
        "if_unchanged_since": payment.updated_at.isoformat(),
    } | values  # fmt: skip


def test_an_agent_completes_a_pending_payment_and_changes_no_posted_one(agent_at_desk: Browser):
    debt = factories.debt()
    payment = pay(debt, status="pending")
    page = address(Payment, "change", payment.pk)
    assert agent_at_desk.post(page, payment_form(payment, status="completed")).status_code == 302
    assert balance(debt) == 900
    agent_at_desk.post(page, payment_form(payment, amount="1", status="failed"))
    assert balance(debt) == 900


def test_a_supervisor_changes_a_posted_payment_unless_it_has_moved_on(supervisor_at_desk: Browser):
    debt, other = factories.debt(), factories.debt()
    payment = pay(debt)
    page = address(Payment, "change", payment.pk)
    old = payment_form(payment, amount="500")
    supervisor_at_desk.post(page, payment_form(payment, amount="50"))
    assert balance(debt) == 950
    answer = supervisor_at_desk.post(page, old)
    assert errors(answer) == {"__all__": ["This has changed since you read it. Read it again before you change money."]}
    assert balance(debt) == 950
    supervisor_at_desk.post(page, payment_form(payment, debt=other.pk))
    assert (balance(debt), balance(other)) == (1000, 950)
    assert list(reconciliation.differences()) == []


def test_a_bulk_delete_of_payments_gives_the_balance_back(supervisor_at_desk: Browser):
    debt, closed = factories.debt(), factories.debt()
    payments = [pay(debt), pay(debt), pay(closed)]
    debts.amend(closed, current_status="settled", by=None, today=NOW.date())
    answer = supervisor_at_desk.act("delete_selected", payments, post="yes")
    assert said(answer)[0] == "2 payments deleted."
    assert "Reopen it" in said(answer)[1]
    assert (balance(debt), Payment.objects.count()) == (1000, 1)
    assert list(reconciliation.differences()) == []


def test_one_action_takes_so_many_rows_and_no_more(supervisor_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ddc.common.admin.editing.MAX_ROWS", 1)
    debt = factories.debt()
    answer = supervisor_at_desk.act("delete_selected", [pay(debt), pay(debt)], post="yes")
    assert said(answer) == ["Too many rows. Select 1 at most."]
    assert balance(debt) == 800


# --- Segments, templates, strategy, the rest

SEGMENT = {"name": "New", "priority": "1", "is_active": "on"}


def test_a_supervisor_keeps_segments(supervisor_at_desk: Browser):
    assert supervisor_at_desk.post(address(Segment, "add"), SEGMENT | {"min_p2p_score": "0.5"}).status_code == 302
    made = Segment.objects.get()
    page = address(Segment, "change", made.pk)
    answer = supervisor_at_desk.post(page, SEGMENT | {"min_p2p_score": "0.5", "max_p2p_score": "0.5"})
    assert list(errors(answer)) == ["max_p2p_score"]
    answer = supervisor_at_desk.post(page, SEGMENT | {"min_balance": "5"})
    assert list(errors(answer)) == ["currency_code"]
    factories.debt(p2p_score=Decimal("0.6"))
    answer = supervisor_at_desk.post(address(Segment, "delete", made.pk), {"post": "yes"}, follow=True)
    assert "can't be deleted" in said(answer)[0]
    made.refresh_from_db()
    assert (made.min_p2p_score, made.max_p2p_score) == (Decimal("0.5"), None)


TEMPLATE = {"name": "hello", "language": "German", "communication_type": "email", "subject": "Hi", "body": "{{today}}"}


def test_an_agent_keeps_templates(agent_at_desk: Browser):
    page = address(CommunicationTemplate, "add")
    assert agent_at_desk.post(page, TEMPLATE).status_code == 302
    made = CommunicationTemplate.objects.get()
    assert (made.language, made.description) == ("de", None)
    assert list(errors(agent_at_desk.post(page, TEMPLATE))) == ["name"]
    assert list(errors(agent_at_desk.post(page, TEMPLATE | {"subject": ""}))) == ["subject"]
    assert "secret" in errors(agent_at_desk.post(page, TEMPLATE | {"body": "{{secret}}"}))["body"][0]
    assert CommunicationTemplate.objects.count() == 1
    page = address(CommunicationTemplate, "change", made.pk)
    assert b"Jan 31, 2026" in agent_at_desk.get(page).content


def test_a_rule_takes_its_templates_channel_and_stays_once_fired(supervisor_at_desk: Browser):
    segment, template = factories.segment(), factories.template(communication_type="sms", subject=None)
    values = {
        "name": "R", "segment": segment.pk, "template": template.pk, "trigger_type": "TimeTrigger", "days_since_placement": "7",
        "max_lateness_days": "3", "priority": "1", "is_active": "on",
    }  # fmt: skip
    page = address(StrategyRule, "add")
    assert supervisor_at_desk.post(page, values).status_code == 302
    assert StrategyRule.objects.get().channel == "sms"
    assert list(errors(supervisor_at_desk.post(page, values))) == ["name"]
    too_far = {"name": "S", "days_since_placement": "2000000000"}
    assert list(errors(supervisor_at_desk.post(page, values | too_far))) == ["days_since_placement"]
    answer = supervisor_at_desk.post(
        address(CommunicationTemplate, "delete", template.pk), {"post": "yes"}, follow=True
    )
    assert "A strategy rule or a message uses this template" in said(answer)[0]


def test_a_run_is_planned_once_at_a_time(supervisor_at_desk: Browser):
    page = address(StrategyRun, "add")
    assert supervisor_at_desk.post(page, {"date": "2026-01-01", "dry_run": "on"}).status_code == 302
    assert errors(supervisor_at_desk.post(page, {"date": "2026-01-01"})) == {
        "__all__": ["A strategy run is planned or under way. Wait until it is over."]
    }
    StrategyRun.objects.update(status="done")
    assert list(errors(supervisor_at_desk.post(page, {"date": "2999-01-01"}))) == ["date"]
    assert StrategyRun.objects.get().started_by == supervisor_at_desk.agent


def test_a_runs_report_is_shown_per_rule(auditor_at_desk: Browser):
    line = {
        "rule_id": "x",
        "name": "First notice",
        "matched": 3,
        "queued": 2,
        "left_out": [{"reason": "held", "count": 1}],
    }
    run = StrategyRun.objects.create(status="done", date=NOW.date(), rules=[line])
    content = auditor_at_desk.get(address(StrategyRun, "change", run.pk)).content.decode()
    assert "First notice" in content
    assert "1 A hold stops the strategy" in content


def test_a_supervisor_ends_the_use_of_an_address_and_begins_it_again(supervisor_at_desk: Browser):
    debtor = factories.debtor(email="zoe@example.com")
    values = {"channel": "email", "value": "Zoe@Example.com", "reason": "opted_out", "source": "a call"}
    assert supervisor_at_desk.post(address(ContactPoint, "add"), values).status_code == 302
    made = ContactPoint.objects.get(kind="email")
    assert (made.value, made.debtor, made.suppressions) == ("zoe@example.com", debtor, ["opted out"])
    assert made.opted_out_source == f"a call ({supervisor_at_desk.agent})"
    page = f"/admin/debtors/contactpoint/{made.pk}/reactivate/"
    assert supervisor_at_desk.get(page).status_code == 200
    assert supervisor_at_desk.post(page, {"source": "asked for it"}).status_code == 302
    made.refresh_from_db()
    assert made.suppressions == []
    assert supervisor_at_desk.get(address(ContactPoint, "change", made.pk)).status_code == 200


def test_who_may_not_begin_the_use_of_an_address_again_does_not(agent_at_desk: Browser):
    factories.suppress("zoe@example.com")
    made = ContactPoint.objects.get()
    page = f"/admin/debtors/contactpoint/{made.pk}/reactivate/"
    assert agent_at_desk.post(page, {"source": "x"}).status_code == 403
    made.refresh_from_db()
    assert made.suppressions == ["opted out"]


def test_an_agent_records_a_consent(agent_at_desk: Browser):
    point = factories.debtor(mobile_phone="+12015550123").contact_points.get(kind="phone")
    page, today = f"/admin/debtors/contactpoint/{point.pk}/consent/", now().date()
    assert b"Record consent" in agent_at_desk.get(address(ContactPoint, "change", point.pk)).content
    assert agent_at_desk.get(page).status_code == 200
    fields = {
        "channels": ["sms", "voice"], "basis": "creditor", "text": "You may call and text me.", "source": "Contract 12",
        "scope": "This debt", "given_at": (today - timedelta(days=9)).isoformat(),
    }  # fmt: skip

    late = agent_at_desk.post(page, fields | {"given_at": (today + timedelta(days=1)).isoformat()})
    assert errors(late) == {"given_at": ["The consent cannot be dated in the future. Enter today or an earlier day."]}
    mail = agent_at_desk.post(page, fields | {"channels": ["email"]})
    assert errors(mail) == {"channels": ["Choose channels that use this address."]}
    assert agent_at_desk.post(page, fields | {"basis": "guess", "text": ""}).status_code == 200
    assert not Consent.objects.exists()

    agent_at_desk.post(page, fields)
    consents = Consent.objects.order_by("channel")
    assert [consent.channel for consent in consents] == ["sms", "voice"]
    assert {(c.basis, c.text, c.source, c.scope, str(c.by)) for c in consents} == {
        ("creditor", "You may call and text me.", "Contract 12", "This debt", str(agent_at_desk.agent)),
    }  # fmt: skip
    shown = agent_at_desk.get(address(ContactPoint, "change", point.pk)).content.decode()
    assert "You may call and text me." in shown


def test_an_auditor_notes_no_consent(auditor_at_desk: Browser):
    point = factories.debtor().contact_points.get(kind="phone")
    for page in ("consent", "check_number"):
        assert auditor_at_desk.post(f"/admin/debtors/contactpoint/{point.pk}/{page}/", {}).status_code == 403
    assert not Consent.objects.exists()


@pytest.mark.parametrize(("answer", "is_theirs"), [("no", True), ("yes", False)])
def test_an_agent_records_a_check_of_the_number(agent_at_desk: Browser, answer: str, is_theirs: bool):
    debtor = factories.debtor(mobile_phone="+12015550123")
    consent = factories.consent(debtor, "sms", now() - timedelta(days=200))
    point = debtor.contact_points.get(kind="phone")
    page, day = f"/admin/debtors/contactpoint/{point.pk}/check_number/", now().date() - timedelta(days=2)
    fields = {"is_reassigned": answer, "checked_at": day.isoformat(), "source": "FCC"}

    assert agent_at_desk.get(page).status_code == 200
    late = agent_at_desk.post(page, fields | {"checked_at": (now().date() + timedelta(days=1)).isoformat()})
    assert errors(late) == {"checked_at": ["The check cannot be dated in the future. Enter today or an earlier day."]}
    agent_at_desk.post(page, fields)

    consent.refresh_from_db()
    point.refresh_from_db()
    assert (consent.checked_at.date() if consent.checked_at else None) == (day if is_theirs else None)
    assert consent.check_source == ("FCC" if is_theirs else "")
    assert point.suppressions == ([] if is_theirs else ["wrong number"])


def test_exchange_rates_are_kept_by_hand_too(supervisor_at_desk: Browser):
    values = {"date": "2026-01-31", "currency_code": "GBP", "per_euro": "0.85"}
    assert supervisor_at_desk.post(address(ExchangeRate, "add"), values).status_code == 302
    assert supervisor_at_desk.post(address(ExchangeRate, "add"), values).status_code == 200
    assert supervisor_at_desk.post(address(ExchangeRate, "add"), values | {"per_euro": "0"}).status_code == 200
    assert ExchangeRate.objects.count() == 1


def test_a_messages_html_part_is_looked_at_without_fetching_or_running_anything(auditor_at_desk: Browser):
    log = CommunicationLog.objects.create(
        debtor=factories.debtor(), communication_type="email", status="sent", body="<script>alert(1)</script>",
        html='<p>Hello</p><img src="https://ddc.example/track/open/x.gif"><script>alert(2)</script>',
    )  # fmt: skip
    content = auditor_at_desk.get(address(CommunicationLog, "change", log.pk)).content.decode()
    assert "<script>alert" not in content
    assert '<iframe sandbox="" srcdoc="&lt;meta http-equiv=' in content
    assert "default-src &#x27;none&#x27;" in content


def test_a_superuser_takes_people_on_with_a_role(db: None):
    boss = Browser(Agent.objects.create_superuser("boss", password=factories.PASSWORD))
    values = {
        "username": "newcomer", "first_name": "Nora", "last_name": "New", "email": "nora@example.com", "role": "Agent",
    }  # fmt: skip
    assert list(errors(boss.post(address(Agent, "add"), values | {"email": "nora"}))) == ["email"]
    assert boss.post(address(Agent, "add"), values).status_code == 302
    made = Agent.objects.get(username="newcomer")
    assert not made.has_usable_password()
    assert [group.name for group in made.groups.all()] == ["Agent"]
    assert list(errors(boss.post(address(Agent, "add"), values))) == ["username"]
    assert boss.get(address(Agent, "change", made.pk)).status_code == 200
