"""A robot sends hostile input to each form of the portal: no answer is a fault of ours, and nothing that harms is stored."""

import random
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from casework.models import Document, SupportRequest
from collection.models import DeferralRequest, Dispute
from contact.models import ContactPreference
from debtors.models import Debtor
from portal import questions, tokens
from portal.models import AddressChange, Budget, OtpSession
from portal.pages import pages, sign_in
from tests import factories, hostile
from tests.portal import pages_of_portal, personas
from tests.portal.test_documents import PDF, picture

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
#: As people type them; what is sent is their percent-encoded form.
TEXTS = (
    SCRIPT, '"><img src=x onerror=alert(1)>', "{{7*7}}{% debug %}", "'; DROP TABLE debtor; --", "a\0b and some more words",
    "\x1b[2J\x07 and more",
    "‮gnp.exe and more text", "\ufffe\uffff noncharacters", "a\r\nSet-Cookie: x=1", "\N{GRINNING FACE}" * 600, "x" * 1_000,
    "x" * 100_000,
    "é" * 2_001,
    "   \t\n   ", "javascript:alert(1)", "\\..\\..\\etc", "I sent it back in May.", "I lost my job last week, sorry.",
)  # fmt: skip
PLAIN = (
    "whole", "part", "yes", "no", "ways", "address", "7", "14", "pay_day", "other_day", "work", "other", "monthly", "weekly",
    "email", "sms", "any", "evening", "de", "ar", "GB", "1", "0.01", "-0.01", "1,50", "1e5", "٣", "999999999999999999999",
    "2030-01-01",
    "0001-01-01", "9999-12-31", "+447400111222", "a@b.example", "123456", "27", "3", "1984",
)  # fmt: skip
VALUES = (*hostile.VALUES, *(quote(text) for text in (*TEXTS, *PLAIN)), "%ED%A0%80", "%F4%90%80%80", "%C3%28")
FILES = (
    PDF,
    picture(),
    picture()[:40],
    b"",
    b"MZ" * 50,
    b"<svg onload=alert(1)>",
    b"%PDF-" + bytes(1_000),
    SCRIPT.encode(),
)
NAMES = ("a.pdf", "../../x", SCRIPT, "a\r\nb.pdf", "x" * 300, "‮fdp.exe", "", "c:\\a.png")
_FORM = re.compile(r'<form([^>]*method="post"[^>]*)>(.*?)</form>', re.DOTALL)


def forms_on(client: Client, path: str) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Yield address, names of fields, and whether files are sent, of each form of a page."""
    for attributes, inside in _FORM.findall(client.get(path).content.decode()):
        action = re.search(r'action="([^"]*)"', attributes)
        names = dict.fromkeys(re.findall(r'name="([^"]+)"', inside))
        names.pop("csrfmiddlewaretoken", None)
        yield unescape(action[1]) if action else path, tuple(names), "multipart" in attributes


def everything(debtor: Debtor) -> Iterator[tuple[Client, str, tuple[str, ...], bool]]:
    """Yield each form of the portal once, with a browser that may send it."""
    browser = Client(raise_request_exception=False)
    browser.cookies[pages.TOKEN_COOKIE] = tokens.issue_for_pages(debtor, now=timezone.now())
    stranger = Client(raise_request_exception=False)
    stranger.post("/portal/request-code", {"mobile_phone": debtor.mobile_phone})
    session = OtpSession.objects.create(
        address=str(debtor.normal_phone), debtor=debtor, expires_at=timezone.now() + timedelta(minutes=5)
    )
    stranger.cookies[sign_in.QUESTION_COOKIE] = questions.token_for(session)
    seen = set()
    of_strangers = (*pages_of_portal.PUBLIC.values(), "/portal/code", "/portal/question")
    for client, paths in ((browser, pages_of_portal.of(debtor).values()), (stranger, of_strangers)):
        for path in paths:
            for form in forms_on(client, path):
                if form[:2] not in seen:
                    seen.add(form[:2])
                    yield client, *form


def send(client: Client, path: str, names: tuple[str, ...], with_files: bool, rng: random.Random) -> Any:
    if with_files and rng.random() < 0.5:
        fields: dict[str, Any] = {name: rng.choice((*TEXTS, *PLAIN)) for name in names if name != "proof"}
        count = rng.choice((0, 1, 1, 2, 6))
        fields["proof"] = [SimpleUploadedFile(rng.choice(NAMES) or "x", rng.choice(FILES)) for _ in range(count)]
        return client.post(path, fields)
    pairs = [f"{name}={rng.choice(VALUES)}" for name in names for _ in range(rng.choice((0, 1, 1, 1, 1, 2)))]
    if rng.random() < 0.1:
        pairs.append(rng.choice(("%00=1", "=", "x[]=1", "&&&", "a=%zz")))
    return client.post(path, "&".join(pairs), content_type="application/x-www-form-urlencoded")


def stored() -> Iterator[str]:
    """Yield each text that the forms have stored."""
    columns: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (SupportRequest, ("text",)), (Dispute, ("reason",)), (DeferralRequest, ("reason",)), (Document, ("name",)),
        (ContactPreference, ("statement",)), (AddressChange, ("value",)), (Budget, ("income", "essentials")),
        (Debtor, ("address_line1", "address_line2", "city", "postal_code", "region_state", "language_preference", "email")),
    )  # fmt: skip
    for model, names in columns:
        for row in model.objects.order_by("-created_at").values_list(*names)[:3]:
            yield from (str(value) for value in row if value)


def harm(text: str) -> str | None:
    if len(text) > 2_000:
        return "over-long"
    bad = [letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\r\n\t"]
    return f"control characters {bad[:3]!r}" if bad else None


@pytest.mark.parametrize("each", [60, pytest.param(10_000, marks=pytest.mark.deep)])
def test_no_hostile_input_breaks_a_form_or_is_stored_in_a_way_that_harms(
    each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(20)
    personas.policy()
    debtor = personas.busy()
    Debtor.objects.filter(pk=debtor.pk).update(dob=date(1984, 3, 27))
    # The limits would end the robot's work after a few inputs.
    monkeypatch.setattr("ddc.common.rate_limits.consume", lambda *args, **kwargs: None)
    wrong: list[str] = []
    answered: dict[int, int] = {}
    found = list(everything(debtor))
    assert len(found) >= 20, [form[1] for form in found]
    for client, path, names, with_files in found:
        cookies = client.cookies.output()
        for _ in range(each):
            before = connection.savepoint()
            answer = send(client, path, names, with_files, rng)
            answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
            if answer.status_code >= 500:
                wrong.append(f"{path} {names}: {answer.status_code}")
            if SCRIPT.encode() in answer.content:
                wrong.append(f"{path} {names}: the script came back")
            if answer.status_code == 302:
                wrong += [f"{path} {names}: {fault}" for text in stored() if (fault := harm(text))]
            connection.savepoint_rollback(before)
            if client.cookies.output() != cookies:  # Such as after a sign-out.
                client.cookies.load(cookies.replace("Set-Cookie: ", "").replace("\r\n", "; "))
        assert not wrong, "\n".join(wrong[:20])
    assert set(answered) >= {302, 422}, answered


def test_what_was_stored_is_shown_escaped() -> None:
    debtor = factories.debtor(first_name=SCRIPT)
    browser = Client()
    browser.cookies[pages.TOKEN_COOKIE] = tokens.issue_for_pages(debtor, now=timezone.now())
    factories.complaint(debtor=debtor, text=SCRIPT)
    factories.dispute(debt=factories.debt(debtor=debtor, original_creditor=SCRIPT), reason=SCRIPT, channel="portal")
    agent = Client()
    agent.force_login(factories.agent())

    dispute = Dispute.objects.get()
    for path in (
        "/portal",
        "/portal/complain",
        f"/portal/disputes/{dispute.pk}",
        "/portal/statement",
        "/portal/details",
    ):
        assert SCRIPT not in browser.get(path).content.decode(), path
    asked = SupportRequest.objects.get()
    for path in (
        f"/admin/casework/supportrequest/{asked.pk}/change/",
        f"/admin/collections/dispute/{dispute.pk}/change/",
    ):
        html = agent.get(path).content.decode()
        assert SCRIPT not in html
        assert "&lt;script&gt;" in html
