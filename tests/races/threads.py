"""Run something in several threads at once, each with a database connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from ddc.common import rate_limits


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls together; return each one's result, or the exception that it raised."""
    results: list[Any] = [None] * len(calls)
    ready = threading.Barrier(len(calls))

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            ready.wait(timeout=20)
            results[index] = call()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return results


def refusals(results: list[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]


def count_together(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Take the lock of the rate limits away, and let so many callers count before any of them goes on."""
    counted = threading.Barrier(number)
    consume = rate_limits.consume

    def consume_and_wait(*args: Any, **kwargs: Any) -> None:
        consume(*args, **kwargs)
        counted.wait(timeout=30)

    monkeypatch.setattr(rate_limits, "serialize", lambda *_: None)
    monkeypatch.setattr(rate_limits, "consume", consume_and_wait)
