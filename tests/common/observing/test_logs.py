"""Logs have one line per request, with ids and without personal data."""

import logging
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import pytest
import structlog
from django.utils import timezone

from collection.models import LedgerEntry
from communications.callbacks import delivery_events, inbox
from communications.models import CommunicationLog, ProviderEvent
from communications.outbox.outbox import Queue
from communications.sending import worker
from ddc.common.observing import logs, masking, tracing
from portal import otp
from portal.models import OtpSession
from strategy import runs
from strategy.models import StrategyRun
from tests import factories
from tests.common.observing.conftest import Logged
from tests.communications.callbacks.posting import PUBLIC, SECRET, basic
from tests.conftest import Api
from tests.standins import twilio as stand_in
from tests.standins.twilio import TwilioStandIn
from tests.strategy import makers

ID = "req-0a1b2c3d"
#: As nginx's $request_id, and as many a token.
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def sign_in_as_debtor(anonymous: Api, twilio: TwilioStandIn, phone: str) -> tuple[str, str]:
    """Ask for a code, let the workers do their part, and sign in; return code and token."""
    asked = anonymous.post("/debtors/auth/request-otp", {"mobilePhone": phone}, **{"X-Request-ID": ID})
    assert (asked.status_code, asked["X-Request-ID"]) == (200, ID)
    otp.answer(clock=timezone.now)
    worker.drain(clock=timezone.now, queue=Queue.AWAITED)
    code = next(word for word in twilio.orders[-1].fields["Body"].split() if word.isdecimal())
    answer = anonymous.post("/debtors/auth/verify-otp", {"mobilePhone": phone, "otpCode": code})
    assert answer.status_code == 200, answer.content
    return code, answer.json()["token"]


@pytest.mark.django_db
def test_a_sign_in_and_a_search_leave_nothing_personal_in_the_log(anonymous, api, settings, logged: Logged):
    debtor = factories.debtor(
        first_name="Wilhelmina", last_name="Featherstone", email="wil@private.example", mobile_phone="+447700900123"
    )
    with TwilioStandIn() as twilio:
        for name, value in twilio.settings().items():
            setattr(settings, name, value)
        twilio.errors = [(400, 21408)]
        code, token = sign_in_as_debtor_after_a_failure(anonymous, twilio, debtor.mobile_phone)
    for asked in ("Featherstone", "wil%40private.example", "7700900123", "wil@private.example"):
        assert api.get(f"/debtors?search={asked}").status_code == 200
    assert api.get("/debtors?search=Featherstone").json()["meta"]["total"] == 1
    assert Api(token).get("/debtors/me/profile").status_code == 200
    assert Api(token).get("/debtors/Featherstone").status_code == 404
    assert anonymous.post("/auth/token", {"username": "sue", "password": "Wrong-Password-1"}).status_code == 401
    assert anonymous.get("/track/open/c2VjcmV0LXRva2Vu.gif").status_code in (200, 404)
    assert len(logged.named("request")) >= 10
    secrets = [code, token, "Wilhelmina", "Featherstone", "private.example", "7700900123", "Wrong-Password-1"]
    secrets += ["c2VjcmV0LXRva2Vu", factories.PASSWORD, api.headers["Authorization"].split()[1], "search="]
    assert [secret for secret in secrets if secret.lower() in logged.text.lower()] == []


def sign_in_as_debtor_after_a_failure(anonymous: Api, twilio: TwilioStandIn, phone: str) -> tuple[str, str]:
    anonymous.post("/debtors/auth/request-otp", {"mobilePhone": phone})
    otp.answer(clock=timezone.now)
    worker.drain(clock=timezone.now, queue=Queue.AWAITED)
    return sign_in_as_debtor(anonymous, twilio, phone)


@pytest.mark.django_db
def test_a_request_is_one_line_with_the_callers_id(api, supervisor, logged: Logged):
    debt = factories.debt()
    answer = api.get(f"/debts/{debt.pk}?x=1", **{"X-Request-ID": ID})
    assert answer["X-Request-ID"] == ID
    (line,) = logged.entries
    assert {name: line[name] for name in ("event", "method", "path", "status", "agent", "request_id", "level")} == {
        "event": "request", "method": "GET", "path": f"/debts/{debt.pk}", "status": 200, "agent": str(supervisor.pk),
        "request_id": ID, "level": "info",
    }  # fmt: skip
    assert line["ms"] > 0


@pytest.mark.django_db
def test_an_unknown_method_is_not_logged(anonymous, logged: Logged):
    anonymous("JOHN-DOE", "/debtors")
    anonymous("JOHN-DOE", "/nothing")
    assert [line["method"] for line in logged.named("request")] == ["other", "other"]
    assert "JOHN" not in logged.text


@pytest.mark.django_db
@pytest.mark.parametrize("given", [ID, HEX, "0192c1de-6789-7abc-8def-012345678901"])
def test_an_id_that_a_proxy_chose_is_kept(anonymous, logged: Logged, given: str):
    assert anonymous.get("/auth/me", **{"X-Request-ID": given})["X-Request-ID"] == given
    assert logged.entries[-1]["request_id"] == given


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "+447700900123", "447700900123", "a b c d e f g", "wil@example.org"]
)
def test_an_id_that_should_not_be_logged_is_replaced(anonymous, logged: Logged, given: str):
    answer = anonymous.get("/auth/me", **({"X-Request-ID": given} if given else {}))
    assert len(answer["X-Request-ID"]) == 36
    assert logged.entries[-1]["request_id"] == answer["X-Request-ID"] != given


@pytest.mark.django_db
def test_two_requests_have_two_ids_and_work_without_a_request_has_none(anonymous):
    first, second = (anonymous.get("/auth/me")["X-Request-ID"] for _ in range(2))
    assert first != second
    assert tracing.current() is None


@pytest.mark.django_db
def test_the_rows_keep_the_id_and_the_worker_logs_it(anonymous, api, settings, logged: Logged):
    debtor = factories.debtor(mobile_phone="+447700900123")
    debt = factories.debt(balance=Decimal(100))
    with TwilioStandIn() as twilio:
        for name, value in twilio.settings().items():
            setattr(settings, name, value)
        sign_in_as_debtor(anonymous, twilio, debtor.mobile_phone)
    session, message = OtpSession.objects.get(), CommunicationLog.objects.get()
    assert (session.request_id, message.request_id) == (ID, ID)
    (sent,) = logged.named("message")
    assert (sent["request_id"], sent["message"], sent["status"]) == (ID, str(message.pk), "sent")

    paid = api.post("/payments", {"debtId": str(debt.pk), "amount": 5}, **{"X-Request-ID": "req-payment-1"})
    assert paid.status_code == 201
    assert LedgerEntry.objects.get(kind="payment").request_id == "req-payment-1"


@pytest.mark.django_db
def test_messages_of_a_run_have_the_id_of_the_request_that_planned_it(api):
    factories.debt(placement_date=timezone.now().date())
    makers.rule(segment=factories.segment(), days_since_placement=0)
    answer = api.post("/strategy/runs", {"dryRun": False}, **{"X-Request-ID": ID})
    assert answer.status_code in (201, 202), answer.content
    runs.start_planned(clock=timezone.now)
    assert StrategyRun.objects.get().request_id == ID
    assert [message.request_id for message in CommunicationLog.objects.all()] == [ID]


@pytest.mark.django_db
def test_a_callback_keeps_its_id_for_the_worker(anonymous, settings, monkeypatch, logged: Logged):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    bounce = {"RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "MessageID": "id-1", "Email": "a@example.com"}
    factories.debtor(email="a@example.com")
    answer = anonymous.post("/callbacks/email/postmark/tracking", bounce, **basic(), **{"X-Request-ID": ID})
    assert (answer.status_code, ProviderEvent.objects.get().request_id) == (200, ID)
    with monkeypatch.context() as patched:
        patched.setattr(delivery_events, "apply", lambda event, now: 1 / 0)
        assert inbox.process(clock=timezone.now) == {"put_off": 1}
    (line,) = logged.named("callback_failed")
    assert line["request_id"] == ID
    assert tracing.current() is None


@pytest.mark.django_db
def test_the_work_on_a_callback_has_its_id(anonymous, settings):
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = stand_in.TOKEN, PUBLIC
    fields = {"MessageSid": "SM1", "From": "+447700900123", "To": "+447700900999", "Body": "When is it due?"}
    path = "/callbacks/twilio/inbound"
    signed = {"X-Twilio-Signature": stand_in.signature(PUBLIC + path, fields), "X-Request-ID": ID}
    assert anonymous.client.post(path, fields, headers=signed).status_code == 200
    inbox.process(clock=timezone.now)
    assert [message.request_id for message in CommunicationLog.objects.all()] == [ID]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +44 7700 900123.", "to [phone]."),
        ("to 07700900123", "to [phone]"),
        ("550 <wil@private.example> unknown", "550 <[mail]> unknown"),
        ("code 123456 sent", "code [code] sent"),
        ("Bearer abc", "Bearer [token]"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "[token]"),
        ("redis://:secret@host:6379/0", "redis://[password]@host:6379/0"),
        ("GET /debtors?search=Jo+Doe failed", "GET /debtors[query] failed"),
        ("duplicate key\nDETAIL:  Key (email)=(x) exists.", "duplicate key\n[quoted]"),
        ("Failing row contains (1, Jo Doe).", "[quoted]"),
        ("0192c1de-6789-7abc-8def-012345678901 on 2026-11-24", "0192c1de-6789-7abc-8def-012345678901 on 2026-11-24"),
        (f"key {HEX} refused, {HEX}{HEX}", "key [hex] refused, [hex]"),
        (f"/reset/{HEX}", "/reset/[hex]"),
        ("took 0.5 s, error 21211", "took 0.5 s, error 21211"),
    ],
)
def test_texts_of_others_are_masked(text: str, shown: str):
    assert masking.mask(text) == shown


def test_a_long_text_is_shortened_and_no_part_of_a_number_is_left():
    beginning = "x " * 990 + "call +44 7700 900123 or +44 7700 900124 " + "y" * 9_000 + "\nValueError: +44 7700 900123"

    shown = masking.mask(beginning)

    assert shown.startswith("x x")
    assert shown.endswith("\nValueError: [phone]".strip())
    assert "shortened" in shown
    assert "7700" not in shown
    assert len(shown) < 7_000


@pytest.mark.parametrize("piece", ["z", "://:", "eyJ-", "a.", "0 ", "%40a", "Z0z-"])
def test_a_strangers_long_text_is_masked_at_once(piece: str):
    begun = perf_counter()
    masking.mask(piece * (400_000 // len(piece)))
    assert perf_counter() - begun < 0.5


@pytest.mark.parametrize(
    "name",
    [
        "firstName", "first_name", "lastName", "last_name", "addressLine1", "address_line1", "addressLine2", "address_line2",
        "city", "postalCode", "postal_code", "dob", "mobilePhone", "otp_code",
    ],
)  # fmt: skip
def test_personal_values_are_masked_by_their_names(logged: Logged, name: str):
    structlog.get_logger("x").info("told", **{name: "Jo"}, body_of=[{name: "Jo", "n": 7}])
    (line,) = logged.entries
    assert (line[name], line["body_of"]) == (masking.MASK, [{name: masking.MASK, "n": 7}])


def test_a_token_is_masked_as_a_value_too_and_an_error_id_is_not(logged: Logged):
    error_id = "0192c1de-6789-7abc-8def-012345678901"
    structlog.get_logger("x").info("told", shown=HEX, more={"shown": [HEX]}, error_id=error_id)
    (line,) = logged.entries
    assert (line["shown"], line["more"], line["error_id"]) == (masking.MASK, {"shown": [masking.MASK]}, error_id)


def test_exceptions_and_other_libraries_lines_are_masked_too(logged: Logged):
    try:
        raise ValueError("no such number: +447700900123")
    except ValueError:
        structlog.get_logger("x").exception("broken", phone="+447700900123", told={"email": "a@b.example", "n": 7})
    logging.getLogger("library").warning("mail to %s", "wil@private.example")
    broken, library = logged.entries
    assert "ValueError: no such number: [phone]" in broken["exception"]
    assert (broken["phone"], broken["told"]) == (masking.MASK, {"email": masking.MASK, "n": 7})
    assert library["event"] == "mail to [mail]"


def test_a_line_for_a_full_disk_is_lost_without_an_error(monkeypatch: pytest.MonkeyPatch):
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - what it holds can't be written when it closes either
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", full)
        logs.write("a line")
    with suppress(OSError):
        full.close()
