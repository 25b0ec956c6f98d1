"""`make chaos`, in short and whole: whatever is killed, no message goes twice, and each is accounted for."""

from pathlib import Path

import pytest

from tests.chaos.run import Chaos, Told
from tests.deep import processes

pytestmark = pytest.mark.django_db(transaction=True)


def through_the_chaos(place: Path, messages: int, **how: float) -> Told:
    place.chmod(0o755)
    return Chaos(place, processes.environment(), seed=1, **how).run(messages)


def test_a_hundred_messages_survive_four_kills(tmp_path: Path):
    # So slow a pace that there is time for them, however fast the machine is.
    told = through_the_chaos(tmp_path, 100, kill_every=0.4, most_kills=4, rate=15)

    assert not told.wrong
    assert told.killed.total() >= 4
    assert told.statuses["sent"] > 50


@pytest.mark.deep
def test_5000_messages_survive_a_kill_every_two_seconds(tmp_path: Path):
    told = through_the_chaos(tmp_path, 5_000, kill_every=2)

    assert not told.wrong
    assert told.killed["worker"]
    assert told.killed["valkey"] == 1
