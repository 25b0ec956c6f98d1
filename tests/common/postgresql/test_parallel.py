"""Work on two connections at once."""

import signal
import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction

from ddc.common.postgresql import parallel


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_each_task_has_a_connection_of_its_own_and_all_are_at_work_at_once():
    together = threading.Barrier(2)

    def work(task: str) -> tuple[str, int]:
        together.wait(timeout=20)
        return task, ask("pg_backend_pid()")

    (first, one), (second, other) = parallel.run(work, ["a", "b"])
    assert (first, second) == ("a", "b")
    assert len({one, other, ask("pg_backend_pid()")}) == 3
    for _ in range(50):  # They hang up when they are done; PostgreSQL takes a moment to notice.
        if ask(f"count(*) FROM pg_stat_activity WHERE pid IN ({one}, {other})") == 0:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("they stay")


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_everything_is_one_shard_on_its_connection():
    with transaction.atomic():
        assert parallel.shards(of="id") == ["TRUE"]
        assert set(parallel.run(lambda _: ask("pg_backend_pid()"), [1, 2])) == {ask("pg_backend_pid()")}


@pytest.mark.django_db(transaction=True)
def test_each_row_is_in_one_shard_and_the_shards_are_about_equal():
    shares = parallel.shards(of="id")
    rows = "(SELECT uuidv7() AS id FROM generate_series(1, 1000)) AS made"
    by_half = Counter[int]()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({shares[0]})::int + 2 * ({shares[1]})::int FROM {rows}")
        by_half.update(half for (half,) in cursor.fetchall())
    assert set(by_half) == {1, 2}
    assert min(by_half.values()) > 400


@pytest.mark.django_db(transaction=True)
def test_when_one_fails_the_other_comes_to_its_end_before_it_is_told():
    ended: list[str] = []

    def work(task: str) -> None:
        if task == "fails":
            raise ValueError(task)
        time.sleep(0.2)
        ended.append(task)

    with pytest.raises(ValueError, match="fails"):
        parallel.run(work, ["fails", "works"])
    assert ended == ["works"]


@pytest.mark.django_db(transaction=True)
def test_whoever_tells_us_to_stop_does_not_wait_for_what_is_under_way():
    def stop(*_: Any) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, stop)
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(InterruptedError):
            parallel.run(lambda _: ask("pg_sleep(30)"), [1, 2])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 10
