from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from communications.models import CommunicationLog
from contact.models import Purpose
from ddc.common import callers
from ddc.common.errors import TooMany
from debtors.channels import Channel
from debtors.models import Debtor
from portal import otp, tasks
from portal.models import OtpSession
from tests import factories
from tests.conftest import Api
from tests.portal.conftest import ask, code_of

pytestmark = pytest.mark.django_db

UNKNOWN = "+447700999999"
NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.get_default_timezone())


def request(phone: str = UNKNOWN, *, address: str | None = "192.0.2.1", now: datetime = NOW) -> OtpSession:
    return otp.request(phone, client_ip=address, now=now)


def test_known_and_unknown_phones_get_one_answer(debtor: Debtor, anonymous: Api) -> None:
    answers = [
        anonymous.post("/debtors/auth/request-otp", {"mobilePhone": phone}) for phone in (debtor.mobile_phone, UNKNOWN)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    bodies = [answer.json() for answer in answers]
    lengths = [len(body.pop("attemptToken")) for body in bodies]
    assert bodies[0] == bodies[1]
    assert lengths[0] == lengths[1]
    assert answers[0].json()["expiresInSeconds"] == 300
    assert isinstance(answers[0].json()["message"], str)
    assert OtpSession.objects.filter(answered_at=None, debtor=None).count() == 2


def test_asking_runs_the_same_statements_for_known_and_unknown_phones(
    debtor: Debtor, anonymous: Api, django_assert_num_queries: Callable[..., Any]
) -> None:
    seen = []
    for phone in (debtor.mobile_phone, UNKNOWN):
        with django_assert_num_queries(10) as captured:
            anonymous.post("/debtors/auth/request-otp", {"mobilePhone": phone})
        seen.append([query["sql"].split(" ")[0] for query in captured.captured_queries])
        assert not any('"debtor"' in query["sql"] and "SELECT" in query["sql"] for query in captured.captured_queries)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("phone", ["+44 7700 900123", "+44-7700-900123"])
def test_a_phone_in_another_form_is_the_same_phone(phone: str, anonymous: Api) -> None:
    # 07400 is a range that the numbering plan knows, unlike the 07700 900 kept for fiction.
    assert anonymous.post("/debtors/auth/request-otp", {"mobilePhone": "+44 (7400) 123456"}).status_code == 200

    assert OtpSession.objects.get().address == "+447400123456"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({}, "required"),
        ({"mobilePhone": None}, "required"),
        ({"mobilePhone": ""}, "required"),
        ({"mobilePhone": 447700900123}, "string"),
        ({"mobilePhone": "07700900123"}, "regex"),
        ({"mobilePhone": "call me"}, "regex"),
        ({"mobilePhone": "+4" * 100}, "maxLength"),
        ({"mobilePhone": ["+447700900123"]}, "string"),
    ],
)
def test_an_invalid_phone_is_422_and_is_not_counted(body: dict[str, Any], rule: str, anonymous: Api) -> None:
    answer = anonymous.post("/debtors/auth/request-otp", body)

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("mobilePhone", rule)]
    assert not OtpSession.objects.exists()


def test_a_fourth_request_in_15_minutes_is_429_with_the_wait_for_known_and_unknown(
    debtor: Debtor, anonymous: Api
) -> None:
    for phone in (debtor.mobile_phone, UNKNOWN):
        body = {"mobilePhone": phone}
        assert [anonymous.post("/debtors/auth/request-otp", body).status_code for _ in range(3)] == [200] * 3

        answer = anonymous.post("/debtors/auth/request-otp", body)

        assert answer.status_code == 429
        assert 890 <= int(answer["Retry-After"]) <= 900
        assert OtpSession.objects.filter(address=str(phone)).count() == 3


def test_the_wait_ends_when_the_first_of_three_is_15_minutes_old() -> None:
    for minutes in (0, 4, 10):
        request(now=NOW + timedelta(minutes=minutes))

    with pytest.raises(TooMany) as refused:
        request(now=NOW + timedelta(minutes=12, seconds=30))
    assert refused.value.retry_after == 150

    request(now=NOW + timedelta(minutes=15))
    with pytest.raises(TooMany) as refused:
        request(now=NOW + timedelta(minutes=15, seconds=1))
    assert refused.value.retry_after == 239


def test_an_eleventh_request_in_a_day_is_refused_until_the_first_is_a_day_old() -> None:
    for hour in range(10):
        request(now=NOW + timedelta(hours=hour))

    with pytest.raises(TooMany) as refused:
        request(now=NOW + timedelta(hours=10))

    assert refused.value.retry_after == 14 * 3600
    assert OtpSession.objects.count() == 10
    request(now=NOW + timedelta(hours=24))


def test_one_ip_address_may_request_for_a_limited_number_of_phones(settings: Any) -> None:
    settings.OTP_PER_ADDRESS = 4
    for number in range(4):
        request(f"+44770090{number:04d}")

    with pytest.raises(TooMany):
        request(UNKNOWN)
    request(UNKNOWN, address="192.0.2.2")
    request("+447700999998", address=None)
    assert OtpSession.objects.count() == 6


def test_a_strangers_requests_do_not_use_up_those_of_the_owner(settings: Any) -> None:
    for _ in range(3):
        request(address="198.51.100.9")
    with pytest.raises(TooMany):
        request(address="198.51.100.9")

    owners = [request() for _ in range(3)]

    with pytest.raises(TooMany):
        request()
    assert OtpSession.objects.filter(client_ip="198.51.100.9", replaced_at=None).count() == 1
    assert OtpSession.objects.get(client_ip="192.0.2.1", replaced_at=None) == owners[-1]


def test_the_codes_of_a_phone_in_a_day_have_a_bound_from_all_addresses_together(settings: Any) -> None:
    settings.OTP_PER_PHONE_DAY = 3
    for number in range(6):
        request(address=f"198.51.100.{number}", now=NOW + timedelta(hours=number))

    with pytest.raises(TooMany) as refused:
        request(address="192.0.2.1", now=NOW + timedelta(hours=6))
    assert refused.value.retry_after == 18 * 3600


def test_all_phones_together_get_a_limited_number_of_codes_in_an_hour(
    settings: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.OTP_PER_HOUR = 2
    for _ in range(3):
        request(str(factories.debtor().mobile_phone))
        request(UNKNOWN, address=f"198.51.100.{OtpSession.objects.count()}")

    assert otp.answer(clock=lambda: NOW) == 6

    assert CommunicationLog.objects.count() == 2
    assert "otp_hourly_limit_reached" in capfd.readouterr().err
    later = request(str(factories.debtor().mobile_phone), now=NOW + timedelta(hours=1))
    otp.answer(clock=lambda: NOW + timedelta(hours=1))
    assert CommunicationLog.objects.filter(one_time_code_of=later.pk).exists()


@pytest.mark.parametrize("spelling", ["+447400123456", "+4407400123456", "+44 (0)7400 123456", "+44-7400-123456"])
def test_every_spelling_of_a_phone_shares_its_limits(spelling: str) -> None:
    for phone in ("+4407400123456", "+447400123456", "+44 7400 123456"):
        request(phone)

    with pytest.raises(TooMany):
        request(spelling)


def test_the_ip_address_is_the_real_one_despite_forged_headers(anonymous: Api, settings: Any) -> None:
    anonymous.post("/debtors/auth/request-otp", {"mobilePhone": UNKNOWN}, **{"X-Forwarded-For": "203.0.113.9"})
    assert OtpSession.objects.get().client_ip == "127.0.0.1"

    settings.TRUSTED_PROXIES = 1
    anonymous.post("/debtors/auth/request-otp", {"mobilePhone": "+4470"}, **{"X-Forwarded-For": "203.0.113.9"})
    anonymous.post("/debtors/auth/request-otp", {"mobilePhone": "+447700900000"}, **{"X-Forwarded-For": "203.0.113.9"})
    assert OtpSession.objects.get(address="+447700900000").client_ip == "203.0.113.9"


def test_a_header_without_a_hyphen_has_no_second_spelling(anonymous: Api, settings: Any) -> None:
    settings.TRUSTED_PROXIES, settings.CLIENT_ADDRESS_HEADER = 1, "Clientaddress"
    forged = {"X-Forwarded-For": "6.6.6.6", "X_Forwarded_For": "6.6.6.6", "Client-Address": "6.6.6.6"}

    anonymous.post("/debtors/auth/request-otp", {"mobilePhone": UNKNOWN}, **{**forged, "Clientaddress": "203.0.113.9"})

    assert OtpSession.objects.get().client_ip == "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::"),
        ("2001:DB8:0:0:9::1", "2001:db8::"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", callers.UNKNOWN),
        ("fe80::1%eth0", callers.UNKNOWN),
        ("203.0.113.9:1:2", callers.UNKNOWN),
        ("x" * 5_000, callers.UNKNOWN),
    ],
)
def test_every_form_of_an_address_counts(anonymous: Api, settings: Any, forwarded: str, address: str) -> None:
    settings.TRUSTED_PROXIES, settings.OTP_PER_ADDRESS = 1, 2
    answers = [
        anonymous.post(
            "/debtors/auth/request-otp", {"mobilePhone": f"+44770090000{n}"}, **{"X-Forwarded-For": forwarded}
        )
        for n in range(3)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert {session.client_ip for session in OtpSession.objects.all()} == {address}


def test_a_worker_sends_the_code_to_the_debtor_as_an_awaited_message(debtor: Debtor) -> None:
    session = request(str(debtor.mobile_phone))

    assert otp.answer(clock=lambda: NOW) == 1

    session.refresh_from_db()
    message = CommunicationLog.objects.get()
    assert (session.debtor, session.answered_at) == (debtor, NOW)
    assert (message.debtor, message.communication_type, message.purpose) == (debtor, Channel.SMS, Purpose.CODE)
    assert (message.one_time_code_of, message.expires_at) == (session.pk, session.expires_at)
    assert "{{otp_code}}" in str(message.body)
    assert code_of(session) not in str(CommunicationLog.objects.values())
    assert code_of(session) not in str(OtpSession.objects.values())


def test_a_worker_answers_each_request_once_and_unknown_phones_with_nothing(debtor: Debtor) -> None:
    request(str(debtor.mobile_phone))
    request()

    assert otp.answer(clock=lambda: NOW) == 2
    assert otp.answer(clock=lambda: NOW) == 0
    tasks.answer_otp_requests()

    assert CommunicationLog.objects.count() == 1
    assert not OtpSession.objects.filter(answered_at=None).exists()


def test_no_code_is_sent_for_a_request_that_is_over_or_replaced(debtor: Debtor) -> None:
    request(str(debtor.mobile_phone), now=NOW - timedelta(minutes=5))
    request(str(debtor.mobile_phone), now=NOW - timedelta(minutes=1))
    newest = request(str(debtor.mobile_phone), now=NOW)
    other = request(str(factories.debtor().mobile_phone), now=NOW - timedelta(minutes=5))

    assert otp.answer(clock=lambda: NOW) == 4

    assert CommunicationLog.objects.get().one_time_code_of == newest.pk
    other.refresh_from_db()
    assert other.answered_at == NOW


def test_the_agencys_template_is_used_in_the_debtors_language() -> None:
    words = {"name": "one_time_code", "communication_type": "sms", "subject": None}
    factories.template(**words, body="Code {{otp_code}}", language="en")
    german = factories.template(**words, body="Ihr Code: {{ otp_code }}", language="de")
    debtor = factories.debtor(language_preference="de-AT")

    ask(debtor)

    assert CommunicationLog.objects.get().template == german


def test_a_template_without_the_code_is_not_used(debtor: Debtor) -> None:
    factories.template(name="one_time_code", communication_type="sms", subject=None, body="Hello {{debtor_first_name}}")

    ask(debtor)

    assert CommunicationLog.objects.get().template is None


def test_a_request_that_fails_does_not_delay_others(debtor: Debtor, monkeypatch: pytest.MonkeyPatch) -> None:
    unlucky = factories.debtor()
    failing = request(str(unlucky.mobile_phone))
    request(str(debtor.mobile_phone))
    answer = otp.send_code

    def fail_for_one(session: OtpSession, *, now: datetime) -> None:
        answer(session, now=now)
        if session.pk == failing.pk:
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr(otp, "send_code", fail_for_one)
    assert otp.answer(clock=lambda: NOW) == 1
    assert [log.debtor for log in CommunicationLog.objects.all()] == [debtor]

    monkeypatch.undo()
    assert otp.answer(clock=lambda: NOW) == 1
    assert CommunicationLog.objects.filter(debtor=unlucky).count() == 1


def test_old_sessions_are_deleted_unless_their_message_is_unsent(debtor: Debtor) -> None:
    old = NOW - timedelta(days=2, seconds=1)
    request(now=old)
    waiting = request(str(debtor.mobile_phone), now=old)
    otp.answer(clock=lambda: old)
    young = request("+447700900000", now=NOW - timedelta(days=1, hours=23))

    assert otp.delete_old(now=NOW) == 1
    assert set(OtpSession.objects.all()) == {waiting, young}

    CommunicationLog.objects.update(status="sent")
    assert otp.delete_old(now=NOW) == 1
    assert set(OtpSession.objects.all()) == {young}
