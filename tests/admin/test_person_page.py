"""The page of a person and of a debt: head, timeline, panels, and actions that come back to it."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from casework import claims, notes
from casework.admin.person import panels
from casework.admin.timeline import PAGE
from casework.models import FollowUp, Note
from collection import deferrals
from collection.holds import holds
from collection.models import Debt
from communications.calls import records
from communications.models import CommunicationLog
from communications.outbox import may_go
from ddc.common.days import agency_today
from debtors import debtors
from debtors.models import Debtor
from payments import posting
from payments.models import Payment
from strategy.models import StrategyRule, StrategyRun, StrategyStep
from tests import factories
from tests.admin.conftest import Browser, address, errors, fill, said
from tests.strategy import makers

pytestmark = pytest.mark.django_db

#: What a page of a person may take at most in any tab, with the four of the session, the agent and the agent's rights.
MOST_QUERIES = 20


def page_of(row: Any) -> str:
    return address(type(row), "change", row.pk)


def shown(browser: Browser, row: Any, **query: Any) -> str:
    answer = browser.get(page_of(row), **query)
    assert answer.status_code == 200
    return answer.content.decode()


def events(browser: Browser, row: Any, **query: Any) -> list[Any]:
    return browser.get(page_of(row), **query).context["timeline"].events


def message(debt: Debt, **values: Any) -> CommunicationLog:
    made = {
        "debtor": debt.debtor,
        "debt": debt,
        "communication_type": "email",
        "status": "delivered",
        "subject": "Hello",
    }
    return CommunicationLog.objects.create(**made | values)


def eventful() -> Debt:
    """A debt of whose person everything is in the timeline."""
    agent, today = factories.agent("Agent", first_name="Alex", last_name="Field"), agency_today(now())
    debt = factories.debt(external_reference="INV-1", due_date=today - timedelta(3), currency_code="GBP")
    debtor = debt.debtor
    message(debt)
    records.record_call(
        debtor, direction="outbound", debt=debt, outcome="promise", notes="On Friday.", by=agent, now=now()
    )
    posting.record(debt=debt, amount=Decimal(300), payment_method="card", by=agent, today=today)
    deferrals.request(debt, debtor=debtor, days=30, reason="I lost my job.", now=now())
    factories.dispute(debt=factories.debt(debtor=debtor, external_reference="INV-2"), reason="Never ordered.")
    holds.open_hold(reason="vulnerable", debtor=debtor, source="Letter", by=agent, now=now())
    factories.note(debtor=debtor, by=agent)
    factories.follow_up(debtor=debtor, debt=debt)
    debtors.amend(debtor, city="Bath", today=today)
    return debt


# --- Queries


@pytest.mark.parametrize("role", ["Agent", "Supervisor", "Auditor"])
@pytest.mark.parametrize("of", ["debtor", "debt"])
def test_the_page_takes_twenty_queries_at_most_for_any_number_of_rows(
    sign_in: Any, role: str, of: str, remembered_roles: None
):
    browser = sign_in(role)
    fill(1)
    debtor, debt = Debtor.objects.get(), Debt.objects.get()
    if of == "debtor":
        factories.debt(debtor=debtor)  # An arrangement is possible on it.
    row, pages = (debtor, panels.PERSON) if of == "debtor" else (debt, panels.DEBT)
    slugs = [panel.slug for panel in pages if panel.slug != "audit" or role != "Agent"]
    for slug in slugs:
        browser.get(page_of(row), panel=slug)  # what a process keeps in memory is there by now
    few = {slug: _queries(browser, row, slug) for slug in slugs}
    for number in range(30):
        posting.record(debt=debt, amount=Decimal(1), by=None, today=agency_today(now()))
        factories.debt(debtor=debtor)
        message(debt, communication_type="sms", body="x" * 9000)
        factories.note(debtor=debtor, text=f"Note {number}", by=browser.agent if role == "Supervisor" else None)
        factories.follow_up(debtor=debtor)
    many = {slug: _queries(browser, row, slug) for slug in slugs}
    assert many == few
    assert max(many.values()) <= MOST_QUERIES, many


def _queries(browser: Browser, row: Any, slug: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        shown(browser, row, panel=slug)
    return len(asked)


# --- The head


def test_the_head_says_who_where_and_what_is_owed(agent_at_desk: Browser):
    debt = eventful()
    factories.debt(debtor=debt.debtor, balance="1234567", currency_code="JPY", due_date=agency_today(now()))
    head = agent_at_desk.get(page_of(debt.debtor)).context["head"]
    assert head.local_time == f"{now():%H:%M}" or " in London (" in head.local_time
    assert head.language == "English"
    assert {part.currency: part.balance for part in head.owed} == {"GBP": 1700, "JPY": 1234567}
    assert [(part.overdue, head.overdue_days) for part in head.overdue] == [(700, 3)]
    assert "300.00" in head.last_payment["amount"]
    flags = [flag.text for flag in head.flags]
    assert flags == ["Overdue 1", "Active 2", "Disputed 1", "Deferral asked", "Hold: vulnerable"]
    text = shown(agent_at_desk, debt.debtor)
    assert "1,234,567 <i>JPY</i>" in text


def test_the_time_is_theirs_with_the_agency_s_next_to_it(agent_at_desk: Browser, settings: Any):
    settings.AGENCY_TIME_ZONE = "Europe/London"
    there = factories.debtor(country_code="JP", mobile_phone="+81312345678")
    both = factories.debtor(country_code="JP", mobile_phone=f"+1212555{1234}")
    nowhere = factories.debtor(country_code=None, mobile_phone=None)
    times = [agent_at_desk.get(page_of(row)).context["head"].local_time for row in (there, both, nowhere)]
    assert times[0].partition(" ")[2].startswith("in Tokyo (")
    assert " in Tokyo" in times[1]
    assert " and " in times[1] or " to " in times[1]
    assert times[2].endswith(" here")


def test_each_channel_has_one_label_as_the_gate_decides(agent_at_desk: Browser):
    debtor = factories.debtor()
    factories.suppress(debtor.email)
    head = agent_at_desk.get(page_of(debtor)).context["head"]
    decided = {preview.channel.label: preview.decision.verdict for preview in may_go.previews(debtor, now=now())}
    assert [state.channel for state in head.channels] == ["Agent call", "E-mail", "Text message", "Automated call"]
    for state in head.channels:
        assert (state.state.text == "Allowed now") == (decided[state.channel] == "allow"), state
        assert bool(state.why) == (state.state.text != "Allowed now"), state
    assert head.channels[1].state.text == "Not allowed"


# --- The timeline


def test_everything_that_happened_is_in_one_stream_the_newest_first(supervisor_at_desk: Browser):
    debt = eventful()
    found = events(supervisor_at_desk, debt.debtor)
    titles = [event.title for event in found]
    for part in (
        "E-mail delivered: Hello", "Agent call: the debtor promised to pay", "Payment by card: 300.00 GBP on INV-1",
        "Placed: 1,000.00 GBP on INV-1", "Asked for 30 days on INV-1", "Disputed INV-2", "Hold opened: Vulnerable",
        "Note by Alex Field", "Debtor changed by",
    ):  # fmt: skip
        assert any(title.startswith(part) for title in titles), (part, titles)
    assert any(title.startswith("Follow-up for ") and title.endswith("Ask for the receipt.") for title in titles)
    assert found == sorted(found, key=lambda event: (event.at, event.key), reverse=True)
    quotes = {event.quote for event in found}
    assert {"I lost my job.", "Never ordered.", "On Friday.", "Works shifts."} <= quotes


@pytest.mark.parametrize(
    ("kind", "icons"),
    [
        ("messages", {"mail"}), ("calls", {"call"}), ("money", {"payments"}), ("notes", {"edit_note", "event"}),
        ("requests", {"hourglass_top", "balance", "pause_circle"}), ("changes", {"history"}),
    ],
)  # fmt: skip
def test_filters_show_one_kind(supervisor_at_desk: Browser, kind: str, icons: set[str]):
    debt = eventful()
    assert {event.icon for event in events(supervisor_at_desk, debt.debtor, kind=kind)} == icons


def test_filters_say_how_many_events_they_show(supervisor_at_desk: Browser):
    debt = eventful()
    page = address(Debtor, "change", debt.debtor_id)
    counted = {kind.value: number for kind, number in supervisor_at_desk.get(page).context["timeline"].kinds}
    shown = {kind: str(len(events(supervisor_at_desk, debt.debtor, kind=kind))) for kind in counted}
    assert counted == shown
    for _ in range(100):
        message(debt)
    stream = supervisor_at_desk.get(page).context["timeline"]
    assert dict(stream.kinds)["messages"] == "99+"
    of_debt = dict(supervisor_at_desk.get(page_of(debt)).context["timeline"].kinds)
    assert of_debt["requests"] == str(len(events(supervisor_at_desk, debt, kind="requests")))


def test_changes_are_for_those_who_may_see_the_change_log(agent_at_desk: Browser):
    debtor = eventful().debtor
    assert not [event for event in events(agent_at_desk, debtor) if event.icon == "history"]
    assert "kind=changes" not in shown(agent_at_desk, debtor)
    assert not events(agent_at_desk, debtor, kind="changes")


def test_older_pages_go_on_where_the_last_one_ended(supervisor_at_desk: Browser):
    debt = eventful()
    at = now() - timedelta(days=9)
    for number in range(2 * PAGE):
        # Several of one moment, which the ids tell apart.
        notes.write(debt.debtor, text=f"{number}", by=supervisor_at_desk.agent, now=at - timedelta(days=number // 5))
        message(debt, created_at=at - timedelta(days=number // 5))
        debtors.amend(debt.debtor, city=f"City {number}", today=agency_today(now()))
    everything, query = [], {}
    while True:
        stream = supervisor_at_desk.get(page_of(debt.debtor), **query).context["timeline"]
        everything += stream.events
        if stream.older is None:
            break
        assert len(stream.events) == PAGE
        query = {"before": str(stream.older)}
    keys = [event.key for event in everything]
    assert len(keys) == len(set(keys))
    assert keys == [event.key for event in sorted(everything, key=lambda e: (e.at, e.key), reverse=True)]
    icons = [event.icon for event in everything]
    assert icons.count("edit_note") == 2 * PAGE + 1
    assert icons.count("mail") == 2 * PAGE + 1
    assert icons.count("history") >= 2 * PAGE


@pytest.mark.parametrize("before", ["x", "1.2", "9" * 40 + ".0", "-1.01a22c91-89e8-7939-8fbe-33b958c0be29", "\0"])
def test_a_damaged_page_address_begins_at_the_top(agent_at_desk: Browser, before: str):
    debt = eventful()
    assert agent_at_desk.client.get(
        page_of(debt.debtor), {"before": before, "kind": "x", "panel": "x"}
    ).status_code in (200, 400)


def test_why_names_the_rule_the_run_and_the_gate_s_decision(agent_at_desk: Browser):
    debt = factories.debt()
    template = factories.template()
    rule = StrategyRule.objects.create(
        name="After a week",
        segment=factories.segment(),
        template=template,
        channel="email",
        trigger=makers.due_after(7),
    )
    run = StrategyRun.objects.create(status="done", date=agency_today(now()), rules=[])
    sent = message(debt, template=template)
    StrategyStep.objects.create(
        rule=rule, debt=debt, anchor=debt.pk, occurrence=agency_today(now()), run=run, message=sent
    )
    may_go.ask(CommunicationLog.objects.select_related("debtor", "debt", "template").get(pk=sent.pk), now=now())
    (event,) = events(agent_at_desk, debt.debtor, kind="messages")
    why = {term: str(text) for term, text in event.why.lines}
    assert why["Rule"] == "After a week"
    assert why["Run"]
    assert why["Decision"].startswith(("Allowed at the request", "Postponed at the request", "Denied at the request"))
    assert "After a week" in shown(agent_at_desk, debt.debtor)


def test_why_names_the_person_who_recorded_a_call(agent_at_desk: Browser):
    (event,) = events(agent_at_desk, eventful().debtor, kind="calls")
    assert ("Recorded by", "Alex Field") in [(term, str(text)) for term, text in event.why.lines]


def test_the_words_of_others_are_text_and_never_markup(agent_at_desk: Browser):
    debt = factories.debt()
    script = "<script>alert(1)</script>"
    factories.note(debtor=debt.debtor, text=script, pinned=True)
    factories.follow_up(debtor=debt.debtor, text=script)
    message(debt, direction="inbound", status="received", body=script, subject=script)
    assert script not in shown(agent_at_desk, debt.debtor)


def test_the_timeline_of_a_debt_leaves_out_other_debts(agent_at_desk: Browser):
    debt = eventful()
    titles = " ".join(event.title for event in events(agent_at_desk, debt))
    assert "INV-1" in titles
    assert "INV-2" not in titles
    assert "Note by" in titles


# --- Panels


def test_an_agent_sees_each_panel_but_the_audit(agent_at_desk: Browser, supervisor_at_desk: Browser):
    debt = eventful()
    of_agent = [panel.title for panel in agent_at_desk.get(page_of(debt.debtor)).context["panels"]]
    more = ["Requests and holds", "Help and documents", "Contact details", "Edit details"]
    of_supervisor = [panel.title for panel in supervisor_at_desk.get(page_of(debt.debtor)).context["panels"]]
    assert of_agent == ["Timeline", "Debts", "Arrangements", "Credits", *more]
    assert of_supervisor == [*of_agent, "Audit"]
    assert agent_at_desk.get(page_of(debt.debtor), panel="audit").context["panel"].title == "Timeline"


def test_tables_of_panels_lead_to_lists_of_all_their_rows(supervisor_at_desk: Browser):
    fill(1)
    for row, pages in ((Debtor.objects.get(), panels.PERSON), (Debt.objects.get(), panels.DEBT)):
        for panel in pages:
            for listing in supervisor_at_desk.get(page_of(row), panel=panel.slug).context.get("listings", ()):
                everything = supervisor_at_desk.client.get(listing.more)
                assert everything.status_code == 200, listing.title
                if "channel" not in str(listing.headers).lower():  # The gate's answers are no rows.
                    assert everything.context["cl"].result_count >= len(listing.rows) > 0, listing.title


def test_the_ledger_is_told_in_words_with_the_balance_after_each_entry(agent_at_desk: Browser):
    debt = factories.debt(balance=1000)
    for value in (100, 50):
        posting.record(debt=debt, amount=Decimal(value), payment_method="card", by=None, today=agency_today(now()))
    (of_debt,) = agent_at_desk.get(page_of(debt.debtor), panel="debts").context["debts"]
    lines = [(entry["words"], str(entry["balance"])[20:].split()[0]) for entry in of_debt.entries]
    assert [words for words, _ in lines] == ["Payment by card", "Payment by card", "Placed"]
    assert ["850.00" in entry["balance"] for entry in of_debt.entries] == [True, False, False]
    for _ in range(9):
        posting.record(debt=debt, amount=Decimal(1), by=None, today=agency_today(now()))
    (of_debt,) = agent_at_desk.get(page_of(debt.debtor), panel="debts").context["debts"]
    assert (len(of_debt.entries), of_debt.has_more) == (panels.MOST_ENTRIES, True)
    assert "841.00" in of_debt.entries[0]["balance"]


def test_the_form_is_a_panel_and_shows_a_refusal(agent_at_desk: Browser):
    debtor = factories.debtor()
    other = factories.debtor()
    page = page_of(debtor)
    form = agent_at_desk.get(page, panel="edit").context["adminform"].form
    fields = {name: form.initial.get(name) for name in form.fields}
    answer = agent_at_desk.post(page, fields | {"email": other.email})
    assert "email" in errors(answer)
    assert answer.context["is_form"]
    saved = agent_at_desk.post(page, fields | {"city": "Bath"})
    assert (saved.status_code, saved["Location"]) == (302, page)
    debtor.refresh_from_db()
    assert debtor.city == "Bath"


# --- Identity


BORN = date(1980, 5, 17)


def test_the_birth_date_is_hidden_until_the_agent_has_verified_who_calls(sign_in: Any):
    first, second = sign_in("Agent"), sign_in("Supervisor")
    debtor = factories.debtor(dob=BORN, postal_code="BA1 2AB", mobile_phone="+447400123456")
    verify = page_of(debtor).replace("/change/", "/verify/")

    def hides(browser: Browser) -> bool:
        shows_no_date = [not re.search("1980|17 May", shown(browser, debtor, panel=name)) for name in ("", "edit")]
        form = browser.get(page_of(debtor), panel="edit").context["adminform"].form
        assert shows_no_date == ["dob" not in form.fields] * 2
        return shows_no_date[0]

    assert hides(first)
    assert "1980" not in first.get(verify).content.decode()
    wrong = first.post(verify, {"postcode": "BA1 2AC"}, follow=True)
    assert said(wrong) == ["Identity not verified: wrong postcode."]
    assert hides(first)
    right = first.post(verify, {"postcode": "ba12ab"}, follow=True)
    assert (said(right), right.request["PATH_INFO"]) == (["Identity verified by postcode."], page_of(debtor))
    assert not hides(first)
    assert hides(second)
    assert [event.title for event in events(first, debtor, kind="calls")] == [
        "Identity verified by postcode",
        "Identity not verified: wrong postcode",
    ]
    for browser in (first, second):
        records.record_call(debtor, direction="inbound", outcome="right_party", notes=None, by=browser.agent, now=now())
    by_second, by_first, *_ = events(first, debtor, kind="calls")
    assert "Identity verified by postcode" in by_first.detail
    assert "Identity" not in by_second.detail


def test_a_form_without_the_birth_date_keeps_it(agent_at_desk: Browser):
    debtor = factories.debtor(dob=BORN)
    form = agent_at_desk.get(page_of(debtor), panel="edit").context["adminform"].form
    fields = {name: form.initial.get(name) for name in form.fields}
    agent_at_desk.post(page_of(debtor), fields | {"city": "Bath", "dob": "1990-01-01"})
    debtor.refresh_from_db()
    assert (debtor.city, debtor.dob) == ("Bath", BORN)


def test_nothing_asked_is_no_check(agent_at_desk: Browser):
    debtor = factories.debtor(dob=BORN)
    verify = page_of(debtor).replace("/change/", "/verify/")
    for given in ({}, {"postcode": "BA1"}, {"reference": "12"}, {"birth_date": "x"}):
        answer = agent_at_desk.post(verify, given)
        assert answer.status_code == 200
        assert errors(answer), given


# --- Actions


def test_a_note_and_a_follow_up_are_entered_here_and_lead_back(agent_at_desk: Browser):
    debtor = factories.debtor()
    note, follow_up = (page_of(debtor).replace("/change/", f"/{name}/") for name in ("note", "follow_up"))
    answer = agent_at_desk.post(note, {"text": "Works shifts.", "pinned": "on"}, follow=True)
    assert (said(answer), answer.request["PATH_INFO"]) == (["The note is saved."], page_of(debtor))
    assert answer.context["head"].pinned[0]["text"] == "Works shifts."
    day = agency_today(now())
    answer = agent_at_desk.post(follow_up, {"text": "Call", "due_on": day, "owner": "mine"}, follow=True)
    assert (said(answer), answer.request["PATH_INFO"]) == (["The follow-up is set."], page_of(debtor))
    assert (FollowUp.objects.get().owner, FollowUp.objects.get().due_on) == (agent_at_desk.agent, day)
    assert answer.context["head"].follow_ups[0]["day"] == day


def test_what_was_typed_stays_where_it_is_refused(agent_at_desk: Browser):
    debtor = factories.debtor()
    note, follow_up = (page_of(debtor).replace("/change/", f"/{name}/") for name in ("note", "follow_up"))
    assert "The note is empty" in str(errors(agent_at_desk.post(note, {"text": " ", "pinned": "on"})))
    answer = agent_at_desk.post(follow_up, {"text": "Call her", "due_on": "2001-01-01", "owner": "any"})
    assert "Enter a day from" in str(errors(answer)["due_on"])
    assert "Call her" in answer.content.decode()
    other = factories.debt()
    answer = agent_at_desk.post(
        follow_up, {"text": "Call", "due_on": agency_today(now()), "owner": "any", "debt": other.pk}
    )
    assert "debt" in errors(answer)
    assert not Note.objects.exists()
    assert not FollowUp.objects.exists()


def test_a_payment_is_recorded_on_the_debt_due_first_and_leads_back(agent_at_desk: Browser):
    today = agency_today(now())
    later = factories.debt(due_date=today + timedelta(9))
    first = factories.debt(debtor=later.debtor, due_date=today)
    page = page_of(later.debtor).replace("/change/", "/pay/")
    form = agent_at_desk.get(page).context["form"]
    assert [str(value) for value, _ in form.fields["debt"].widget.choices] == [str(first.pk), str(later.pk)]
    data = {"debt": first.pk, "amount": "10.00", "payment_method": "card", "payment_date": today}
    assert "amount" in errors(agent_at_desk.post(page, data | {"amount": "0.001"}))
    assert not Payment.objects.exists()
    answer = agent_at_desk.post(page, data, follow=True)
    assert (said(answer), answer.request["PATH_INFO"]) == (["The payment is recorded."], page_of(later.debtor))
    assert Payment.objects.get().debt == first
    assert agent_at_desk.post(page, data | {"debt": factories.debt().pk}).status_code == 200
    assert Payment.objects.count() == 1


def test_only_what_an_agent_may_do_is_offered(agent_at_desk: Browser, auditor_at_desk: Browser):
    debt = eventful()
    buttons = [button.label for button in agent_at_desk.get(page_of(debt.debtor)).context["case"].buttons]
    assert buttons == ["Call", "Verify identity", "Write", "Record payment", "Arrangement", "Note", "Follow-up", "Hold"]
    for button in agent_at_desk.get(page_of(debt)).context["case"].buttons:
        assert agent_at_desk.client.get(button.url).status_code == 200, button
    page = auditor_at_desk.get(page_of(debt.debtor))
    assert page.context["case"].buttons == []
    assert "note_form" not in page.context
    assert "Strike out" not in page.content.decode()


def test_the_second_agent_sees_who_works_on_the_person(sign_in: Any):
    first, second, auditor = sign_in("Agent"), sign_in("Agent"), sign_in("Auditor")
    debt = factories.debt()
    assert first.get(page_of(debt.debtor)).context["case"].claim is None
    for browser in (second, auditor):
        for row in (debt.debtor, debt):
            page = browser.get(page_of(row))
            assert page.context["case"].claim.agent == first.agent
            assert "works on this person since" in page.content.decode()
    assert first.get(page_of(debt)).context["case"].claim is None


def test_an_auditor_who_looks_claims_nothing(auditor_at_desk: Browser, agent_at_desk: Browser):
    debtor = factories.debtor()
    auditor_at_desk.get(page_of(debtor))
    assert agent_at_desk.get(page_of(debtor)).context["case"].claim is None
    assert (
        claims.in_force("debtors.Debtor", [debtor.pk], now=datetime.now(now().tzinfo))[debtor.pk].agent
        == agent_at_desk.agent
    )
