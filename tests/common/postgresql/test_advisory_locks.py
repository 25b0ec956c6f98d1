"""Advisory locks of different kinds never meet, and those of one kind exclude each other."""

import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import transaction

from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from tests.deep import processes
from tests.races.threads import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    with psycopg.connect(processes.environment()["DATABASE_URL"], autocommit=True) as session:
        yield session


def is_free(other: psycopg.Connection, which: AdvisoryLock, subject: str = "") -> bool:
    """Try from another session, which gives the lock back at once."""
    query = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))"
    return other.execute(query, [subject, which.number]).fetchall() == [(True,)]


def test_each_kind_has_its_own_number_and_a_reason():
    assert len({which.number for which in AdvisoryLock}) == len(AdvisoryLock)
    assert all(which.why.endswith(".") for which in AdvisoryLock)


def test_a_lock_is_held_until_the_transaction_ends_and_only_for_its_subject(other: psycopg.Connection):
    with transaction.atomic():
        advisory_locks.lock(AdvisoryLock.ADDRESS, "a@example.com")
        assert not is_free(other, AdvisoryLock.ADDRESS, "a@example.com")
        assert is_free(other, AdvisoryLock.ADDRESS, "b@example.com")
        assert is_free(other, AdvisoryLock.CONTACT, "a@example.com")
    assert is_free(other, AdvisoryLock.ADDRESS, "a@example.com")


def test_what_another_session_holds_is_refused_instead_of_awaited(other: psycopg.Connection):
    other.execute("SELECT pg_advisory_lock(hashtextextended('', %s))", [AdvisoryLock.PLACEMENTS.number])
    with transaction.atomic():
        assert not advisory_locks.try_lock(AdvisoryLock.PLACEMENTS)
        assert advisory_locks.try_lock(AdvisoryLock.DEMO_DATA)
    with advisory_locks.session_lock(AdvisoryLock.PLACEMENTS) as is_held:
        assert not is_held
    unlock = "SELECT pg_advisory_unlock(hashtextextended('', %s))"
    assert other.execute(unlock, [AdvisoryLock.PLACEMENTS.number]).fetchall() == [(True,)]


def test_a_session_lock_outlives_a_transaction(other: psycopg.Connection):
    with advisory_locks.session_lock(AdvisoryLock.STRATEGY_RUN) as is_held:
        assert is_held
        with transaction.atomic():
            pass
        assert not is_free(other, AdvisoryLock.STRATEGY_RUN)
    assert is_free(other, AdvisoryLock.STRATEGY_RUN)


def test_several_subjects_are_locked_in_one_order_whatever_order_they_are_given_in():
    names = [str(number) for number in range(200)]

    def take(subjects: list[str]) -> None:
        for _ in range(5):
            with transaction.atomic():
                advisory_locks.lock(AdvisoryLock.CONTACT, *subjects)
                time.sleep(0.01)

    assert refusals(at_once(lambda: take(names), lambda: take(names[::-1]))) == []


def test_no_other_module_takes_an_advisory_lock():
    found = subprocess.run(
        ["git", "grep", "-lE", "pg_(try_)?advisory", "--", "*.py", ":!tests", ":!bench"],
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert found == ["ddc/common/postgresql/advisory_locks.py"]
