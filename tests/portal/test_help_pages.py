"""The pages of disputes with files, hardship, complaints, details, messages, budget; and what staff see of them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from arrangements.models import Arrangement, ArrangementPolicy
from casework import support
from casework.models import Document, SupportRequest
from collection.models import Dispute, Hold
from communications.models import CommunicationLog
from communications.texts import one_time_code
from contact.models import ContactPreference
from debtors.models import Debtor
from portal.models import AddressChange, Budget, DigitalActivity, PortalViewing
from tests import factories
from tests.portal.conftest import Pages
from tests.portal.test_documents import PDF, picture

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "I sent the shoes back in May."


@pytest.fixture
def visit(browser: Pages, debtor: Debtor) -> Pages:
    return browser.visit(debtor)


def files(*contents: bytes) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"file{number}.x", content) for number, content in enumerate(contents)]


def activities() -> set[str]:
    return set(DigitalActivity.objects.exclude(activity_type="page_view").values_list("activity_type", flat=True))


def test_a_debtor_disputes_a_part_with_files_and_adds_more(visit: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    path = f"/portal/debts/{debt.pk}/dispute"
    assert visit.get("/portal/dispute")["Location"] == path

    refused = visit.send(path, what="part", portion="x", reason="short", proof=files(b"<html>"))
    assert refused.status_code == 422
    for words in ("Please enter an amount", "at least 10 characters", "We cannot read this file"):
        assert words in refused.content.decode()
    assert not Dispute.objects.exists()

    sent = visit.send(path, what="part", portion="120,50", reason=TEXT, proof=files(PDF, picture()))

    made = Dispute.objects.get()
    assert sent["Location"] == f"/portal/disputes/{made.pk}"
    assert (str(made.portion), made.reason, made.channel, made.documents.count()) == ("120.5000", TEXT, "portal", 2)
    visit.send(sent["Location"], proof=files(picture("JPEG")))
    page = visit.text(sent["Location"])
    for words in (
        "£120.50",
        "You told us that it is wrong",
        "file0.pdf",
        "file1.png",
        "file0.jpg",
        "We ask ABC Credit Corp",
    ):
        assert words in page, words
    download = visit.get(f"/portal/documents/{Document.objects.get(name='file0.pdf').pk}")
    assert (download.content, download["Content-Type"]) == (PDF, "application/octet-stream")
    assert download["X-Content-Type-Options"] == "nosniff"
    assert activities() == {"dispute_sent", "document_handed_in"}
    assert "See what you sent" in visit.text("/portal")
    other = Pages().visit(factories.debtor())
    assert other.get(f"/portal/documents/{made.documents.all()[0].pk}").status_code == 404
    assert other.get(sent["Location"]).status_code == 404


def test_files_over_ten_mebibytes_are_413_and_over_one_elsewhere(visit: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor)
    large = b"%PDF-" + bytes(2_000_000) + b"%%EOF"

    assert (
        visit.send(f"/portal/debts/{debt.pk}/dispute", what="whole", reason=TEXT, proof=files(large)).status_code == 302
    )
    refused = visit.post(f"/portal/debts/{debt.pk}/dispute", {"proof": files(bytes(10_485_761))})
    assert refused.status_code == 413
    assert visit.post("/portal/complain", {"text": "x" * 1_048_577}).status_code == 413


def test_who_cannot_pay_sees_three_steps_and_the_answer(visit: Pages, debtor: Debtor) -> None:
    assert visit.send("/portal/help", text="Help").status_code == 422
    page = visit.send("/portal/help", follow=True, text=TEXT).content.decode()

    for words in ("We do not ask you to pay for 14 days", "Sent", "A person will look at it", "moneyhelper.org.uk"):
        assert words in page, words
    request, agent = SupportRequest.objects.get(), factories.agent()
    support.begin(request, by=agent, now=now())
    assert "A person is looking at it" in visit.text("/portal/help")
    support.answer(request, answer="Let us <b>talk</b>.", by=agent, now=now())
    page = visit.text("/portal/help")
    assert "Let us &lt;b&gt;talk&lt;/b&gt;." in page
    assert 'name="text"' in page
    assert "You find our answer under “Get help”." in visit.text("/portal")
    assert (Hold.objects.get().reason, activities()) == ("hardship", {"hardship_reported"})


def test_a_debtor_complains(visit: Pages) -> None:
    page = visit.send("/portal/complain", follow=True, text="You called me at night.").content.decode()

    assert "We have received your complaint." in page
    assert "You called me at night." in page
    assert not Hold.objects.exists()
    assert visit.send("/portal/complain", text="With \x07 a bell and more").status_code == 422


def test_one_tap_stops_all_messages_and_a_code_still_comes(visit: Pages, debtor: Debtor) -> None:
    assert "Stop all messages" in visit.text("/portal/details")
    page = visit.send("/portal/details/stop", shown="/portal/details", follow=True, stop="yes").content.decode()

    assert "Start messages again" in page
    assert ContactPreference.objects.active().get().no_contact
    assert activities() == {"opted_out"}
    again = Pages()
    again.send("/portal/request-code", shown="/portal", mobile_phone=debtor.mobile_phone)
    assert again.send("/portal/code", otp_code=again.newest_code())["Location"] == "/portal"
    visit.send("/portal/details/stop", shown="/portal/details", stop="no")
    assert not ContactPreference.objects.active().exists()


def test_language_channels_times_and_address_are_saved(visit: Pages, debtor: Debtor) -> None:
    ways = {"form": "ways", "language_preference": "de", "channels": ["email", "call_script"], "times": "evening"}
    visit.send("/portal/details", **ways)
    assert "Ihre Angaben" in visit.text("/portal/details") or "Your details" in visit.text("/portal/details")
    visit.send("/portal/details", form="address", city="Leeds", postal_code="LS1 1AA", country_code="GB")

    debtor.refresh_from_db()
    assert (debtor.language_preference, debtor.city, debtor.postal_code) == ("de", "Leeds", "LS1 1AA")
    refusal, times = ContactPreference.objects.active().order_by("-no_contact")
    assert (sorted(refusal.channels), str(times.opens), str(times.closes)) == (["sms", "voice"], "17:00:00", "20:00:00")
    assert visit.send("/portal/details", form="address", country_code="XX").status_code == 422


def test_a_phone_changes_with_a_code_and_the_visit_goes_on(visit: Pages, debtor: Debtor) -> None:
    wrong = visit.send("/portal/details/new/phone", address="abc")
    assert (wrong.status_code, b"not a phone number that we understand" in wrong.content) == (422, True)
    asked = visit.send("/portal/details/new/phone", address="07700 900999")
    change = AddressChange.objects.get()
    assert asked["Location"] == f"/portal/details/code/{change.pk}"
    assert visit.send(asked["Location"], otp_code="000000").status_code == 422

    page = visit.send(asked["Location"], follow=True, otp_code=one_time_code.derive(change.pk)).content.decode()

    assert "+447700900999" in page
    debtor.refresh_from_db()
    assert debtor.mobile_phone == "+447700900999"
    assert "address_changed" in activities()


def test_messages_are_readable_and_the_statement_shows_each_entry(
    visit: Pages, debtor: Debtor, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        factories.debt(debtor=debtor, balance=100 + number)
    made = [
        CommunicationLog.objects.create(
            debtor=debtor, communication_type="email", status="sent", subject=f"Letter {number}", body="<b>Hi</b>",
            sent_at=now() + timedelta(seconds=number),
        )
        for number in range(21)
    ]  # fmt: skip

    listed = visit.text("/portal/messages")
    assert ("Letter 20" in listed, "Letter 0<" in listed, "Older" in listed) == (True, False, True)
    assert "Letter 0" in visit.text("/portal/messages?page=2")
    assert "&lt;b&gt;Hi&lt;/b&gt;" in visit.text(f"/portal/messages/{made[0].pk}")
    with django_assert_max_num_queries(20):
        statement = visit.text("/portal/statement")
    assert statement.count("Owed when we began") == 3
    assert Pages().visit(factories.debtor()).get(f"/portal/messages/{made[0].pk}").status_code == 404


def test_a_budget_leads_to_a_plan_below_the_floor_that_a_person_decides(visit: Pages, debtor: Debtor) -> None:
    debt = factories.debt(debtor=debtor, balance=1000)
    ArrangementPolicy.objects.create(currency_code="GBP", version=1, creditor=debt.creditor, min_instalment=200)
    assert "what comes in each month" in visit.send("/portal/budget", housing="1").content.decode()

    page = visit.send("/portal/budget", follow=True, wages="1850", housing="1490")
    html = page.content.decode()

    for words in ("£360.00", "You could pay", "£180.00", "Ask for this plan"):
        assert words in html, words
    path = f"/portal/budget/{Budget.objects.get().pk}"
    sent = visit.send(path, debt=str(debt.pk))
    plan = Arrangement.objects.get()
    assert (plan.status, sent["Location"]) == ("pending_approval", f"/portal/plans/{plan.pk}")
    assert visit.get(sent["Location"]).status_code == 200
    assert activities() == {"budget_sent", "plan_proposed"}


def test_what_a_budget_offers_is_shared_between_creditors(visit: Pages, debtor: Debtor) -> None:
    for name, balance in (("Big Bank", 600), ("Small Shop", 200)):
        factories.debt(debtor=debtor, original_creditor=name, balance=balance)

    html = visit.send("/portal/budget", follow=True, wages="1850", housing="1490").content.decode()

    assert ("£135.00" in html, "£45.00" in html) == (True, True)
    (address,) = re.findall(r'href="([^"]+amount=135.00[^"]+)"', html)
    assert "I agree to this plan" in visit.text(address.replace("&amp;", "&"))


def test_a_budget_that_leaves_nothing_leads_to_help(visit: Pages, debtor: Debtor) -> None:
    factories.debt(debtor=debtor)

    html = visit.send("/portal/budget", follow=True, wages="100", food="140,50").content.decode()

    assert "Nothing is left" in html
    assert Hold.objects.get().reason == "hardship"


def test_what_was_typed_survives_an_expired_visit(visit: Pages, debtor: Debtor) -> None:
    html = visit.text("/portal/complain")
    token = html.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    del visit.cookies["portal_visit"]
    visit.post("/portal/complain", {"csrfmiddlewaretoken": token, "text": "You called me at night."})

    visit.visit(debtor)
    page = visit.text("/portal/complain")

    assert "We have kept what you typed." in page
    assert "You called me at night.</textarea>" in page
    assert not SupportRequest.objects.exists()


def test_a_page_view_is_recorded_only_where_tracking_is_allowed(debtor: Debtor) -> None:
    american = factories.debtor(country_code="US")
    for one in (debtor, american):
        Pages().visit(one).get("/portal/complain")

    (seen,) = DigitalActivity.objects.filter(activity_type="page_view")
    assert (seen.debtor, seen.path) == (american, "portal-complain")


def test_staff_see_what_the_debtor_sees_and_nothing_in_it_works(client: Any, debtor: Debtor) -> None:
    factories.debt(debtor=debtor)
    agent = factories.agent("Agent")
    client.force_login(agent)

    for page in ("home", "messages", "details", "help", "statement"):
        answer = client.get(f"/admin/as-debtor/{debtor.pk}/{page}/")
        html = answer.content.decode()
        assert answer.status_code == 200
        assert "Read only: what John Doe sees." in html
        assert 'class="viewed-page" inert' in html
        assert "portal_visit" not in answer.cookies
    assert set(PortalViewing.objects.values_list("agent", "debtor")) == {(agent.pk, debtor.pk)}
    assert not DigitalActivity.objects.exists()
    assert client.get(f"/admin/as-debtor/{debtor.pk}/nothing/").status_code == 404
    client.force_login(factories.agent("Auditor"))
    assert client.get(f"/admin/as-debtor/{debtor.pk}/home/").status_code == 403
    assert PortalViewing.objects.count() == 5
