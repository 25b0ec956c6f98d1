"""Debtors who get no text messages sign in by their e-mail address."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from communications.models import CommunicationLog, MessageStatus
from ddc.common.errors import TooMany
from debtors import contact_points, debtors
from debtors.channels import Channel
from debtors.models import Debtor, SuppressionReason
from portal import otp
from portal.models import OtpSession
from tests import factories
from tests.conftest import Api
from tests.portal.conftest import code_of, other_than

pytestmark = pytest.mark.django_db

UNKNOWN = "stranger@example.org"
NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def debtor(db: None) -> Debtor:
    """A debtor who wrote STOP."""
    debtor = factories.debtor(email="Ann@Example.com")
    suppress(str(debtor.mobile_phone), Channel.SMS)
    return debtor


def suppress(address: str, channel: Channel) -> None:
    contact_points.suppress(
        address, channel=channel, reason=SuppressionReason.OPTED_OUT, source="Reply: STOP", now=timezone.now()
    )


def ask(address: str, **more: str) -> Any:
    answer = Api().post("/debtors/auth/request-otp", {"email": address}, **more)
    otp.answer(clock=timezone.now)
    return answer


def verify(address: str, code: str, **more: str) -> Any:
    return Api().post("/debtors/auth/verify-otp", {"email": address, "otpCode": code, **more})


def test_a_debtor_who_wrote_stop_signs_in_by_email(debtor: Debtor) -> None:
    assert ask("ann@example.COM").status_code == 200

    message = CommunicationLog.objects.get()
    assert (message.communication_type, message.status) == (Channel.EMAIL, MessageStatus.QUEUED)
    assert message.subject == "Your sign-in code for {{agency_name}}"
    code = code_of(OtpSession.objects.get())
    answer = verify("ANN@example.com", code)
    assert answer.status_code == 200
    assert answer.json()["debtor"]["id"] == str(debtor.pk)
    assert verify("ann@example.com", code).status_code == 401
    assert debtor.contact_points.get(kind="email").verified_at is not None
    assert debtor.contact_points.get(kind="phone").verified_at is None


def test_a_code_by_text_message_stays_blocked_after_stop(debtor: Debtor) -> None:
    Api().post("/debtors/auth/request-otp", {"mobilePhone": debtor.mobile_phone})
    otp.answer(clock=timezone.now)

    assert CommunicationLog.objects.get().status == MessageStatus.BLOCKED


def test_no_code_goes_to_an_address_that_wants_no_mail(debtor: Debtor) -> None:
    suppress(debtor.email, Channel.EMAIL)

    ask(debtor.email)

    assert CommunicationLog.objects.get().status == MessageStatus.BLOCKED


def test_known_and_unknown_addresses_get_one_answer_by_the_same_statements(
    debtor: Debtor, django_assert_num_queries: Callable[..., Any]
) -> None:
    answers, statements = [], []
    for address in (debtor.email, UNKNOWN):
        with django_assert_num_queries(10) as captured:
            answer = Api().post("/debtors/auth/request-otp", {"email": address})
        answers.append({**answer.json(), "attemptToken": len(answer.json()["attemptToken"])})
        statements.append([query["sql"].split(" ")[0] for query in captured.captured_queries])

    assert answers[0] == answers[1]
    assert "e-mail" in answers[0]["message"]
    assert statements[0] == statements[1]


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({}, "mobilePhone", "required"),
        ({"email": None, "mobilePhone": ""}, "mobilePhone", "required"),
        ({"email": "ann"}, "email", "email"),
        ({"email": "ann@"}, "email", "email"),
        ({"email": ["ann@example.com"]}, "email", "string"),
        ({"email": f"{'a' * 250}@example.com"}, "email", "maxLength"),
        ({"mobilePhone": "ann@example.com"}, "mobilePhone", "regex"),
    ],
)
@pytest.mark.parametrize("path", ["request-otp", "verify-otp"])
def test_an_invalid_address_is_422_and_not_counted(body: dict[str, Any], field: str, rule: str, path: str) -> None:
    answer = Api().post(f"/debtors/auth/{path}", {"otpCode": "123456", **body})

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]
    assert not OtpSession.objects.exists()


def test_a_phone_counts_if_both_are_given(debtor: Debtor) -> None:
    Api().post("/debtors/auth/request-otp", {"mobilePhone": debtor.mobile_phone, "email": UNKNOWN})

    assert OtpSession.objects.get().address == debtor.mobile_phone


def test_the_limits_hold_for_each_email_address(settings: Any) -> None:
    for _ in range(3):
        otp.request("ann@example.com", client_ip="192.0.2.1", now=NOW)
    with pytest.raises(TooMany):
        otp.request("ANN@example.com", client_ip="192.0.2.1", now=NOW)
    otp.request(UNKNOWN, client_ip="192.0.2.1", now=NOW)

    settings.OTP_PER_ADDRESS = 4
    with pytest.raises(TooMany):
        otp.request("+447700900123", client_ip="192.0.2.1", now=NOW)

    settings.OTP_PER_ADDRESS, settings.OTP_PER_PHONE_DAY = 300, 3
    later = NOW + timedelta(hours=1)
    for number in range(3):
        otp.request("ann@example.com", client_ip=f"198.51.100.{number}", now=later)
    with pytest.raises(TooMany):
        otp.request("ann@example.com", client_ip="198.51.100.9", now=later)


def test_tries_with_the_attempt_token_count_apart(debtor: Debtor) -> None:
    token = ask(debtor.email).json()["attemptToken"]
    code = code_of(OtpSession.objects.get())
    assert [verify(debtor.email, other_than(code)).status_code for _ in range(6)] == [401] * 6

    assert verify(debtor.email, code).status_code == 401
    assert verify(debtor.email, code, attemptToken=token).status_code == 200


def test_a_code_for_the_phone_is_none_for_the_email_address(debtor: Debtor) -> None:
    session = otp.request(str(debtor.mobile_phone), client_ip=None, now=timezone.now())
    otp.answer(clock=timezone.now)

    assert verify(debtor.email, code_of(session)).status_code == 401


def test_a_change_of_the_address_ends_the_code_and_the_tokens(debtor: Debtor) -> None:
    ask(debtor.email)
    code = code_of(OtpSession.objects.get())
    token = verify(debtor.email, code).json()["token"]
    debtors.amend(debtor, today=date(2026, 1, 1), email="ANN@example.com")
    assert Api(token).get("/debtors/me/profile").status_code == 200
    ask("ann@example.com")

    debtors.amend(debtor, today=date(2026, 1, 1), email="other@example.com")

    assert Api(token).get("/debtors/me/profile").status_code == 401
    newest = OtpSession.objects.get(used_at=None)
    assert verify("ann@example.com", code_of(newest)).status_code == 401


def test_the_agencys_template_for_mail_is_used(debtor: Debtor) -> None:
    factories.template(name="one_time_code", communication_type="sms", subject=None, body="SMS {{otp_code}}")
    mail = factories.template(
        name="one_time_code_email", communication_type="email", subject="Code", body="It is {{otp_code}}"
    )

    ask(debtor.email)

    assert CommunicationLog.objects.get().template == mail


TYPED = ["07400 123456", "(07400) 123-456", "0044 7400 123456", "00447400123456", "447400123456", "44 7400 123456",
         "+44 7400 123456", "+44 (0)7400 123456", " +447400123456 "]  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
def test_a_phone_is_taken_as_people_type_it(typed: str, settings: Any) -> None:
    settings.AGENCY_PHONE = "+44 20 7946 0000"

    answer = Api().post("/debtors/auth/request-otp", {"mobilePhone": typed})

    assert answer.status_code == 200
    assert OtpSession.objects.get().address == "+447400123456"


@pytest.mark.parametrize(
    ("typed", "agency", "phone"),
    [
        ("0151 23456789", "+49 30 12345", "+4915123456789"),
        ("011 44 7400 123456", "+1 212 555 0100", "+447400123456"),
        ("(212) 555-0123", "+1 212 555 0100", "+12125550123"),
        ("07700 900123", "+44 20 7946 0000", "+447700900123"),
        ("+44 7700 900123", "", "+447700900123"),
        ("0044 7400 123456", "", "+447400123456"),
    ],
)
def test_a_national_number_is_of_the_agencys_country(typed: str, agency: str, phone: str, settings: Any) -> None:
    settings.AGENCY_PHONE = agency

    assert otp.request(typed, client_ip=None, now=NOW).address == phone


@pytest.mark.parametrize("typed", ["07400 123456", "00", "+", "0000000000", "12", "+44", "7", "x" * 41])
def test_what_can_be_no_number_is_refused(typed: str, settings: Any) -> None:
    settings.AGENCY_PHONE = ""

    assert Api().post("/debtors/auth/request-otp", {"mobilePhone": typed}).status_code == 422
