"""`make chaos`, short and complete: no message is sent twice, and each has a final state, whichever process is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.run import Chaos, Result
from tests.deep import processes
from tests.folders import server_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder("ddc-chaos-") as folder:
        yield folder


def send_during_chaos(folder: Path, messages: int, **how: float) -> Result:
    return Chaos(folder, processes.environment(), seed=1, **how).run(messages)


def test_a_hundred_messages_survive_four_kills(folder: Path):
    # The rate is low, so that there is time for the kills on any machine.
    result = send_during_chaos(folder, 100, kill_every=0.4, most_kills=4, rate=15)

    assert not result.wrong
    assert result.killed.total() >= 4
    assert result.statuses["sent"] > 50


@pytest.mark.deep
def test_5000_messages_survive_a_kill_every_two_seconds(folder: Path):
    result = send_during_chaos(folder, 5_000, kill_every=2)

    assert not result.wrong
    assert result.killed["worker"]
    assert result.killed["valkey"] == 1
