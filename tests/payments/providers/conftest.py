"""Stripe's stand-in, and a debt that is paid there."""

from collections.abc import Iterator

import pytest

from tests.standins.stripe import StripeStandIn


@pytest.fixture
def stripe(settings) -> Iterator[StripeStandIn]:
    with StripeStandIn() as stand_in:
        for name, value in stand_in.settings().items():
            setattr(settings, name, value)
        yield stand_in
