"""Deferral requests are decided in the back office, one by one and in bulk."""

import html
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.timezone import now

from agents.models import LimitKind, RoleLimit
from casework.admin.deferrals.listing import TABS
from collection import debts, deferral_steps, deferrals
from collection.models import Debt, DeferralRequest, ExchangeRate, Hold
from communications.models import CommunicationLog
from communications.sending import worker
from tests import factories
from tests.admin.conftest import NOW, Browser, address, fill, said, staff

GRANT, REFUSE = {"decision": "grant"}, {"decision": "refuse", "phrase": "own"}


MOST_QUERIES = 20


def ask(debt: Debt | None = None, **values: Any) -> DeferralRequest:
    debt = debt or factories.debt()
    return deferrals.request(
        debt, **{"debtor": debt.debtor, "days": 30, "reason": "I need more time.", "now": NOW} | values
    )


def status(asked: DeferralRequest) -> str:
    asked.refresh_from_db()
    return asked.status


def page(asked: DeferralRequest) -> str:
    return address(DeferralRequest, "change", asked.pk)


def test_tabs_have_what_an_agent_may_decide_what_not_and_what_was_decided(agent_at_desk: Browser):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_DAYS, value=60)
    mine, above, sent, granted, refused = ask(), ask(days=61), ask(), ask(), ask()
    deferral_steps.send_to_supervisor(sent, by=staff("Agent"), now=NOW)
    deferrals.approve(granted, by=staff("Supervisor"), notes=None, now=NOW)
    deferrals.reject(refused, by=staff("Supervisor"), notes="No.", now=NOW)
    found = {tab: set(agent_at_desk.list(DeferralRequest, tab=tab).context["cl"].result_list) for tab in TABS}
    assert found == {"mine": {mine}, "above": {above, sent}, "granted": {granted}, "refused": {refused}}
    shown = agent_at_desk.list(DeferralRequest)
    assert list(shown.context["cl"].result_list) == [mine]
    assert [tab["count"] for tab in shown.context["request_tabs"]] == ["1", "2", "1", "1"]
    boss = Browser(staff("Supervisor")).list(DeferralRequest)
    assert set(boss.context["cl"].result_list) == {mine, above, sent}


def test_amounts_above_the_limit_are_on_their_tab_in_every_currency(agent_at_desk: Browser):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_AMOUNT, value=100)
    ExchangeRate.objects.create(date=now().date(), currency_code="USD", per_euro=2)

    def of(currency: str, amount: int) -> DeferralRequest:
        return ask(
            factories.debt(currency_code=currency, current_balance=Decimal(amount), original_balance=Decimal(amount))
        )

    within = {of("USD", 100), of("EUR", 50)}
    above = {of("USD", 101), of("EUR", 51), of("GBP", 1)}
    assert set(agent_at_desk.list(DeferralRequest, tab="mine").context["cl"].result_list) == within
    assert set(agent_at_desk.list(DeferralRequest, tab="above").context["cl"].result_list) == above


def test_rows_have_the_facts_for_a_decision_the_oldest_first(agent_at_desk: Browser):
    debt = factories.debt(currency_code="JPY", debtor=factories.debtor(city="Osaka"))
    first = ask(debt)
    deferrals.reject(first, by=staff("Supervisor"), notes="No.", now=NOW)
    later = ask(now=NOW + timedelta(days=2))
    waiting = ask(debt, now=NOW + timedelta(days=1), reason="My salary comes on the 28th. " * 10)
    answer = agent_at_desk.list(DeferralRequest)
    assert list(answer.context["cl"].result_list) == [waiting, later]
    content = answer.content.decode()
    for text in (
        "1,000 <i>JPY</i>",
        "Osaka",
        "1 refused",
        "Nothing paid yet",
        "My salary comes on the 28th. My salary",
    ):
        assert text in content
    assert waiting.reason not in content


def test_the_list_and_the_page_take_few_queries(agent_at_desk: Browser, django_assert_max_num_queries: Any):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_AMOUNT, value=10_000)
    fill(12)
    for currency in ("USD", "GBP"):
        ExchangeRate.objects.create(date=now().date(), currency_code=currency, per_euro=1)
    asked, other, *_ = DeferralRequest.objects.filter(status="pending")
    deferrals.approve(other, by=agent_at_desk.agent, notes=None, now=now())
    agent_at_desk.get(page(asked))
    agent_at_desk.client.get("/admin/work/deferrals/", follow=True)
    with django_assert_max_num_queries(MOST_QUERIES):
        agent_at_desk.list(DeferralRequest, tab="all")
    with django_assert_max_num_queries(MOST_QUERIES):  # With the bar of those who work through a worklist.
        agent_at_desk.get(page(asked))
    with django_assert_max_num_queries(MOST_QUERIES):
        agent_at_desk.get(f"/admin/collections/deferralrequest/{asked.pk}/preview/")


def test_a_request_is_granted_on_its_page_for_fewer_days(agent_at_desk: Browser):
    asked = ask(factories.debt(debtor=factories.debtor(language_preference="de-AT")), days=45)
    agent_at_desk.post(page(asked), GRANT | {"days": "30", "phrase": "creditor_allows"})
    assert (status(asked), asked.granted_days, asked.reviewer) == ("approved", 30, agent_at_desk.agent)
    assert asked.review_notes == "Mehr Tage erlaubt der Gläubiger nicht."
    asked.debt.refresh_from_db()
    assert asked.debt.current_status == "deferred"
    message = CommunicationLog.objects.get(debt=asked.debt)
    assert message.subject.startswith("Sie haben mehr Zeit")
    assert "weniger Tage" in message.body
    assert message.due_at - message.created_at == timedelta(seconds=30)


def test_the_preview_is_the_message_that_goes(agent_at_desk: Browser):
    asked = ask(factories.debt(debtor=factories.debtor(language_preference="fr")), days=45)
    preview = f"/admin/collections/deferralrequest/{asked.pk}/preview/"
    content = agent_at_desk.get(preview, decision="grant", days="20", phrase="first_part").content.decode()
    until = (now().date() + timedelta(days=20)).year
    for text in ("Un délai vous est accordé", "moins de jours", "Merci de payer une première partie", str(until)):
        assert text in html.unescape(content)
    refused = html.unescape(agent_at_desk.get(preview, decision="refuse", phrase="no_delay").content.decode())
    assert "pas pu accepter votre demande" in refused
    assert "Nous pouvons convenir" in refused
    question = html.unescape(agent_at_desk.get(preview, decision="ask", phrase="proof").content.decode())
    assert "une lettre de votre employeur" in question
    assert not CommunicationLog.objects.exists()
    shown = agent_at_desk.get(preview).context["preview"].message.text
    agent_at_desk.post(page(asked), GRANT)
    wednesday = now() + timedelta(days=7 - (now().weekday() - 2) % 7)  # A working day, at an hour of contact.
    worker.drain(clock=lambda: wednesday.replace(hour=12))
    assert CommunicationLog.objects.get().body == shown.body


def test_a_refusal_needs_a_note(agent_at_desk: Browser):
    asked = ask()
    answer = agent_at_desk.post(page(asked), REFUSE | {"note": " "})
    assert said(answer) == ["Notes are required to reject a request."]
    assert status(asked) == "pending"
    agent_at_desk.post(page(asked), REFUSE | {"note": "Not again."})
    assert (status(asked), asked.review_notes) == ("rejected", "Not again.")


def test_an_agents_own_words_have_no_placeholders(agent_at_desk: Browser):
    asked = ask()
    agent_at_desk.post(page(asked), REFUSE | {"note": "No {{debtor_email}}."})
    assert "No {debtor_email}." in CommunicationLog.objects.get().body


def test_a_question_goes_at_once_and_leaves_the_request_open(agent_at_desk: Browser):
    asked = ask()
    agent_at_desk.post(page(asked), {"decision": "ask", "phrase": "proof"})
    assert status(asked) == "pending"
    message = CommunicationLog.objects.get()
    assert "Please send us proof" in message.body
    assert message.due_at == message.created_at


def test_above_the_limit_there_is_no_grant_but_the_way_to_a_supervisor(agent_at_desk: Browser):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_AMOUNT, value=1)
    asked = ask()
    content = agent_at_desk.get(page(asked)).content.decode()
    assert 'value="grant"' not in content
    assert "at most 1.00 USD" in content
    assert "A Supervisor must decide." in said(agent_at_desk.post(page(asked), GRANT))[0]
    agent_at_desk.post(page(asked), {"decision": "supervisor"})
    assert status(asked) == "pending"
    assert "It was sent to a Supervisor." in agent_at_desk.get(page(asked)).content.decode()
    boss = Browser(staff("Supervisor"))
    boss.post(page(asked), GRANT)
    assert status(asked) == "approved"


def test_above_the_limit_of_days_fewer_are_granted(agent_at_desk: Browser):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_DAYS, value=20)
    asked = ask(days=30)
    shown = agent_at_desk.get(page(asked)).context["shown"]
    assert (shown.days, shown.power.most, shown.fields["phrase"]) == (20, 20, "creditor_allows")
    agent_at_desk.post(page(asked), GRANT | {"days": "20"})
    assert (status(asked), asked.granted_days) == ("approved", 20)


def test_a_second_person_confirms(supervisor_at_desk: Browser):
    RoleLimit.objects.create(role="Supervisor", kind=LimitKind.DEFERRAL_SECOND_PERSON, value=1)
    asked = ask()
    assert "Another person has to confirm" in supervisor_at_desk.get(page(asked)).content.decode()
    supervisor_at_desk.post(page(asked), GRANT)
    assert status(asked) == "pending"
    assert not CommunicationLog.objects.exists()
    assert 'value="grant"' not in supervisor_at_desk.get(page(asked)).content.decode()
    other = Browser(staff("Supervisor"))
    assert "approved 30 days" in other.get(page(asked)).content.decode()
    other.post(page(asked), GRANT)
    assert status(asked) == "approved"


def test_the_second_agent_sees_who_decided_what_and_the_next_one(agent_at_desk: Browser):
    asked, other = ask(days=45), staff("Agent")
    ask()
    deferrals.approve(asked, by=other, notes=None, days=30, now=now() - timedelta(minutes=2))
    for fields in (GRANT, REFUSE | {"note": "No."}):
        answer = agent_at_desk.client.post(page(asked), fields, follow=True)
        content = answer.content.decode().replace("\xa0", " ")
        assert "Ann granted this 2 minutes ago (30 of 45 days)." in content
        assert 'data-key="N"' in content
        assert 'value="grant"' not in content
    assert (status(asked), asked.reviewer, asked.granted_days) == ("approved", other, 30)


def test_a_decision_is_undone_from_the_next_page(agent_at_desk: Browser):
    first, second = ask(), ask(now=NOW + timedelta(days=1))
    agent_at_desk.get("/admin/work/deferrals/")
    answer = agent_at_desk.client.post(page(first), GRANT, follow=True)
    assert answer.redirect_chain[-1][0] == page(second)
    undo = answer.context["undo"]
    assert 28 <= undo["seconds"] <= 30
    agent_at_desk.client.post(undo["url"], follow=True)
    assert status(first) == "pending"
    assert CommunicationLog.objects.get().status == "blocked"
    assert agent_at_desk.list(DeferralRequest).context["undo"] is None
    assert said(agent_at_desk.client.post(undo["url"], follow=True)) == [
        "This request is not decided, so there is nothing to undo."
    ]


def test_what_was_sent_is_not_undone(agent_at_desk: Browser):
    asked = ask()
    agent_at_desk.post(page(asked), GRANT)
    CommunicationLog.objects.update(status="sent", due_at=None, sent_at=now())
    undo = f"/admin/collections/deferralrequest/{asked.pk}/undo/"
    assert "too late" in said(agent_at_desk.client.post(undo, follow=True))[0]
    assert (status(asked), Hold.objects.not_ended().count()) == ("approved", 1)
    assert agent_at_desk.get(undo).status_code == 405


def test_the_history_is_in_words(agent_at_desk: Browser):
    asked = ask(days=45)
    agent_at_desk.post(page(asked), {"decision": "ask", "phrase": "own", "note": "When?"})
    agent_at_desk.post(page(asked), GRANT | {"days": "30"})
    agent_at_desk.post(f"/admin/collections/deferralrequest/{asked.pk}/undo/")
    agent_at_desk.post(page(asked), REFUSE | {"note": "No."})
    lines = [text for _, text in agent_at_desk.get(page(asked)).context["shown"].history]
    assert lines == [
        f"{asked.debtor} asked for 45 days.",
        "Ann asked: “When?”.",
        "Ann granted 30 of 45 days.",
        "Ann undid the decision.",
        "Ann refused: “No.”.",
    ]


def test_posting_without_a_decision_is_refused(agent_at_desk: Browser):
    asked = ask()
    for fields in ({}, {"decision": "sell"}, GRANT | {"days": "x"}, GRANT | {"days": "31"}):
        assert said(agent_at_desk.post(page(asked), fields))
    assert status(asked) == "pending"


def test_an_auditor_sees_requests_and_may_not_review(auditor_at_desk: Browser):
    asked = ask()
    content = auditor_at_desk.get(page(asked)).content.decode()
    assert 'name="decision"' not in content
    assert auditor_at_desk.post(page(asked), GRANT).status_code == 403
    assert auditor_at_desk.get(f"/admin/collections/deferralrequest/{asked.pk}/preview/").status_code == 403
    assert "approve_selected" not in auditor_at_desk.list(DeferralRequest).content.decode()
    auditor_at_desk.act("approve_selected", [asked], confirmed="yes")
    assert status(asked) == "pending"


def test_in_bulk_names_sums_and_dates_are_shown_and_rows_above_the_limit_are_unticked(agent_at_desk: Browser):
    RoleLimit.objects.create(role="Agent", kind=LimitKind.DEFERRAL_DAYS, value=60)
    good, long = ask(factories.debt(debtor=factories.debtor(last_name="Carver"))), ask(days=61)
    answer = agent_at_desk.act("approve_selected", [good, long])
    assert [(row.asked, bool(row.why_not)) for row in answer.context["rows"]] == [(good, False), (long, True)]
    content = answer.content.decode()
    for text in ("Carver", "1,000.00", "at most 60 days", str((now().date() + timedelta(days=30)).year)):
        assert text in content
    assert [(total["count"]) for total in answer.context["totals"]] == [1]
    assert status(good) == "pending"


def test_in_bulk_each_row_has_its_own_result(agent_at_desk: Browser):
    good, reviewed, closed = ask(), ask(), ask(factories.debt(external_reference="C1"))
    deferrals.reject(reviewed, by=staff("Supervisor"), notes="No.", now=NOW)
    Debt.objects.filter(pk=closed.debt_id).update(current_status="recalled")
    answer = agent_at_desk.act("approve_selected", [good, reviewed, closed], confirmed="yes", phrase="first_part")
    results = {result.asked: (result.is_done, result.text) for result in answer.context["results"]}
    assert results[good][0]
    assert results[reviewed] == (False, "This request has been reviewed already.")
    assert results[closed] == (False, "This debt is closed; there is nothing to defer.")
    assert [status(asked) for asked in (good, reviewed, closed)] == ["approved", "rejected", "pending"]
    assert good.review_notes == "Please pay a first part as soon as you can."


def test_a_bulk_refusal_needs_a_note(agent_at_desk: Browser):
    both = [ask(), ask()]
    answer = agent_at_desk.act("reject_selected", both, confirmed="yes", phrase="")
    assert answer.context["error"]
    assert [status(asked) for asked in both] == ["pending", "pending"]
    answer = agent_at_desk.act("reject_selected", both, confirmed="yes", phrase="no_delay")
    assert answer.context["done"] == 2
    assert [status(asked) for asked in both] == ["rejected", "rejected"]


def test_a_running_deferral_is_ended_early_on_its_page(agent_at_desk: Browser):
    asked = ask(factories.debt(due_date=NOW.date()))
    deferrals.approve(asked, by=staff("Supervisor"), notes=None, now=NOW)
    end = f"/admin/collections/deferralrequest/{asked.pk}/end_early/"
    assert end in agent_at_desk.get(page(asked)).content.decode()
    assert "due as before the deferral" in agent_at_desk.get(end).content.decode()
    assert agent_at_desk.post(end, {"why": ""}).status_code == 200
    assert agent_at_desk.post(end, {"why": "They have paid."}).status_code == 302
    asked.debt.refresh_from_db()
    assert (asked.debt.current_status, asked.debt.due_date) == ("active", NOW.date())
    assert end not in agent_at_desk.get(page(asked)).content.decode()


def test_a_request_closed_by_the_system_says_so(agent_at_desk: Browser):
    asked = ask()
    debts.amend(asked.debt, by=None, today=NOW.date(), current_status="settled")
    content = agent_at_desk.get(page(asked)).content.decode()
    assert "The debt was closed before a decision." in content
    assert "The system closed this" in content
