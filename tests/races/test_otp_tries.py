"""A code allows five tries and works once, even for simultaneous tries."""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from communications.models import CommunicationLog
from communications.texts import one_time_code
from ddc.common.errors import TooMany
from debtors.models import Debtor
from portal import activities, attempt_tokens, otp
from portal.attempt_tokens import NO_SESSION
from portal.models import DigitalActivity, OtpSession
from tests import factories
from tests.portal.conftest import ask, code_of, other_than
from tests.races.threads import count_together

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all jobs at one time, each in a thread and on a connection of its own; return what each returned or refused."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return job()
        except (otp.WrongCode, TooMany) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def verifying(debtor: Debtor, codes: Sequence[str]) -> list[Any]:
    """Try the codes at once, each from an address of its own."""

    def job(code: str, client_ip: str) -> Callable[[], Any]:
        return lambda: otp.verify(str(debtor.mobile_phone), code, client_ip=client_ip, now=timezone.now())

    return at_once([job(code, f"192.0.2.{number}") for number, code in enumerate(codes)])


def signed_in(results: Sequence[Any]) -> list[OtpSession]:
    return [result for result in results if isinstance(result, OtpSession)]


def test_five_of_twenty_simultaneous_wrong_codes_are_tries_and_the_right_one_is_too_late() -> None:
    debtor = factories.debtor()
    code = code_of(ask(debtor))

    assert signed_in(verifying(debtor, [other_than(code)] * 20)) == []

    assert OtpSession.objects.get().tries == 20
    assert signed_in(verifying(debtor, [code])) == []


def test_the_right_code_counts_only_among_the_first_five_of_twenty_simultaneous_tries() -> None:
    """A guesser who tries at the same time as the debtor gets no more than five tries."""
    debtor = factories.debtor()
    code = code_of(ask(debtor))
    guesses = [other_than(code)] * 15 + [code] * 5
    numbers: list[int] = []
    count = otp.count_try

    def note(*args: Any) -> Any:
        counted = count(*args)
        numbers.append(counted.tries)
        return counted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(otp, "count_try", note)
        results = verifying(debtor, guesses)

    assert sorted(numbers) == list(range(1, 21))
    assert len(signed_in(results)) <= 1


def test_twenty_simultaneous_tries_with_one_token_have_twenty_numbers_and_leave_those_without_it() -> None:
    debtor = factories.debtor()
    session = ask(debtor)
    wrong, token = other_than(code_of(session)), attempt_tokens.issue(session.pk)

    def guess(given: str | None, client_ip: str) -> Callable[[], Any]:
        return lambda: otp.verify(
            str(debtor.mobile_phone), wrong, attempt_token=given, client_ip=client_ip, now=timezone.now()
        )

    at_once([guess(token if number < 20 else None, f"192.0.2.{number}") for number in range(25)])

    session.refresh_from_db()
    assert (session.tries_with_token, session.tries) == (20, 5)


def test_one_of_two_simultaneous_right_codes_signs_in() -> None:
    debtor = factories.debtor()
    for _ in range(3):
        code = code_of(ask(debtor))
        assert len(signed_in(verifying(debtor, [code] * 4))) == 1


def test_three_of_ten_simultaneous_requests_are_granted_and_one_stays_current() -> None:
    phone = "+447700900555"

    def job() -> OtpSession:
        return otp.request(phone, client_ip="192.0.2.1", now=timezone.now())

    results = at_once([job] * 10)

    assert sum(isinstance(result, TooMany) for result in results) == 7
    assert OtpSession.objects.count() == 3
    assert OtpSession.objects.filter(replaced_at__isnull=True).count() == 1


def test_four_workers_at_once_send_each_code_once() -> None:
    for _ in range(12):
        otp.request(str(factories.debtor().mobile_phone), client_ip=None, now=timezone.now())

    answered = at_once([lambda: otp.answer(clock=timezone.now)] * 4)

    assert sum(answered) == 12
    assert CommunicationLog.objects.count() == 12
    assert CommunicationLog.objects.values("one_time_code_of").distinct().count() == 12


def test_simultaneous_activities_stay_within_the_limit() -> None:
    debtor = factories.debtor()
    now = timezone.now()
    for _ in range(57):
        activities.record(debtor, activity_type="page_view", now=now - timedelta(seconds=1))

    results = at_once([lambda: activities.record(debtor, activity_type="page_view", now=now)] * 10)

    assert sum(isinstance(result, TooMany) for result in results) == 7
    assert DigitalActivity.objects.count() == 60


@pytest.mark.deep
def test_reading_the_count_first_allows_more_than_five_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Barrier(20)
    compared = 0
    lock = Lock()

    def read_and_write(phone: str, asked: uuid.UUID, now: Any) -> otp.CountedTry:
        session = OtpSession.objects.get(address=phone, replaced_at__isnull=True)
        looked.wait(timeout=30)
        session.tries += 1
        session.save(update_fields=["tries"])
        return otp.CountedTry(session.tries, (session.pk, NO_SESSION))

    is_right = one_time_code.is_right

    def note(session_id: uuid.UUID, code: str) -> bool:
        nonlocal compared
        with lock:
            compared += session_id != NO_SESSION
        return is_right(session_id, code)

    debtor = factories.debtor()
    code = code_of(ask(debtor))
    monkeypatch.setattr(otp, "count_try", read_and_write)
    monkeypatch.setattr(one_time_code, "is_right", note)

    verifying(debtor, [other_than(code)] * 20)

    assert compared == 20
    assert OtpSession.objects.get().tries < 20
    monkeypatch.undo()
    assert len(signed_in(verifying(debtor, [code]))) == 1, "after twenty wrong codes the right one still works"


@pytest.mark.deep
def test_checking_first_whether_a_code_was_used_signs_in_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Barrier(4)

    def look_and_use(session_id: uuid.UUID, now: Any) -> OtpSession:
        used = OtpSession.objects.get(pk=session_id).used_at
        looked.wait(timeout=30)
        if used:
            raise otp.WrongCode
        OtpSession.objects.filter(pk=session_id).update(used_at=now)
        return OtpSession.objects.get(pk=session_id)

    debtor = factories.debtor()
    code = code_of(ask(debtor))
    monkeypatch.setattr(otp, "use_session", look_and_use)

    assert len(signed_in(verifying(debtor, [code] * 4))) > 1


@pytest.mark.deep
def test_without_the_lock_more_than_three_requests_are_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    count_together(monkeypatch, 10)

    at_once([lambda: otp.request("+447700900555", client_ip=None, now=timezone.now())] * 10)

    assert OtpSession.objects.count() > 3
