"""`make chaos`, in short and whole: whatever is killed, no message goes twice, and each is accounted for."""

from pathlib import Path

import pytest

from tests.chaos.run import Chaos, Told
from tests.deep import processes

pytestmark = pytest.mark.django_db(transaction=True)


def through_the_chaos(place: Path, *, messages: int, kill_every: float, most_kills: int) -> Told:
    place.chmod(0o755)
    env = processes.environment()
    return Chaos(place, env, seed=1, kill_every=kill_every, most_kills=most_kills).run(messages)


def test_a_hundred_messages_survive_four_kills(tmp_path: Path):
    told = through_the_chaos(tmp_path, messages=100, kill_every=0.5, most_kills=4)

    assert not told.wrong
    assert told.killed.total() >= 4
    assert told.statuses["sent"] > 50


@pytest.mark.deep
def test_5000_messages_survive_a_kill_every_two_seconds(tmp_path: Path):
    told = through_the_chaos(tmp_path, messages=5_000, kill_every=2, most_kills=1_000)

    assert not told.wrong
    assert told.killed["worker"]
    assert told.killed["valkey"] == 1
