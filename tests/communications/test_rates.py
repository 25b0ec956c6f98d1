"""A provider's pace: kept by all workers together, and without Valkey by each alone."""

import time

import pytest

from communications.sending import rates
from communications.sending.rates import Pace
from debtors.channels import Channel


def take(pace, times):
    return [pace.wait() for _ in range(times)]


@pytest.fixture
def provider(request):
    return f"{request.node.name}-{time.monotonic_ns()}"


def test_all_workers_share_one_pace(provider):
    one, other = Pace(provider, 10), Pace(provider, 10)

    waits = [one.wait(), other.wait(), one.wait(), other.wait()]

    assert waits[0] == 0
    for number, wait in enumerate(waits):
        assert wait == pytest.approx(number / 10, abs=0.09)


def test_who_would_wait_too_long_takes_nothing(provider):
    pace = Pace(provider, 1)

    assert take(pace, 3)[:2] == [0, pytest.approx(1, abs=0.1)]
    assert pace.wait() is None
    assert pace.wait() is None


def test_a_quick_provider_is_given_several_at_once(provider):
    pace = Pace(provider, 1000)

    assert take(pace, 50) == [0] * 50
    assert 0 < pace.wait() <= 0.05


def test_no_limit_asks_nobody(settings, provider):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert take(Pace(provider, 0), 100) == [0] * 100


def test_without_valkey_the_pace_is_kept_alone(settings, provider):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    pace = Pace(provider, 10)

    began = time.monotonic()
    waits = take(pace, 4)

    assert waits == [pytest.approx(n / 10, abs=0.09) for n in range(4)]
    assert time.monotonic() - began < 1


def test_each_channel_has_its_providers_rate(settings):
    settings.EMAIL_RATE, settings.SMS_RATE = 7, 3

    assert [rates.of(channel) for channel in Channel] == [7, 3, 3, 0]
