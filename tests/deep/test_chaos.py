"""`make chaos`, in short and whole: whatever is killed, no message goes twice, and each is accounted for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.run import Chaos, Told
from tests.deep import processes
from tests.folders import server_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder("ddc-chaos-") as folder:
        yield folder


def through_the_chaos(folder: Path, messages: int, **how: float) -> Told:
    return Chaos(folder, processes.environment(), seed=1, **how).run(messages)


def test_a_hundred_messages_survive_four_kills(folder: Path):
    # So slow a pace that there is time for them, however fast the machine is.
    told = through_the_chaos(folder, 100, kill_every=0.4, most_kills=4, rate=15)

    assert not told.wrong
    assert told.killed.total() >= 4
    assert told.statuses["sent"] > 50


@pytest.mark.deep
def test_5000_messages_survive_a_kill_every_two_seconds(folder: Path):
    told = through_the_chaos(folder, 5_000, kill_every=2)

    assert not told.wrong
    assert told.killed["worker"]
    assert told.killed["valkey"] == 1
