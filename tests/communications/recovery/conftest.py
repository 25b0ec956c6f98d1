"""A database that went back to its dump, while the providers remember what was sent since."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from ddc.common.process import running
from tests.communications.conftest import NOON

AN_HOUR_LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def site_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "found", list)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Stop Python's clock at noon, when the dump is taken."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@contextmanager
def lost() -> Iterator[None]:
    """Forget what happens to the database in the block, as a restore of the dump does."""
    dump = transaction.savepoint()
    yield
    transaction.savepoint_rollback(dump)


@pytest.fixture
def after_restore(clock: time_machine.Traveller) -> Callable[..., str]:
    """Run the command, an hour after the dump if no time is given; return what it prints."""

    def run(at: datetime = AN_HOUR_LATER, **options: object) -> str:
        clock.move_to(max(timezone.now(), at), tick=False)
        out = io.StringIO()
        call_command("after_restore", **{"dump_taken_at": NOON, "stdout": out} | options)
        return out.getvalue()

    return run
