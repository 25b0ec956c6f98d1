"""Stand-ins for mail and Twilio, and a clock at noon in London."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import TwilioStandIn

#: A working day, noon in London.
NOON = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def smtp(settings) -> Iterator[SmtpStandIn]:
    with SmtpStandIn() as stand_in:
        for name, value in stand_in.settings().items():
            setattr(settings, name, value)
        yield stand_in


@pytest.fixture
def twilio(settings) -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as stand_in:
        for name, value in stand_in.settings().items():
            setattr(settings, name, value)
        yield stand_in


@pytest.fixture
def at_noon() -> Iterator[None]:
    """Set Python's clock; ask for this before ``api``, whose token is of that time then."""
    with time_machine.travel(NOON):
        yield


@pytest.fixture
def at_night() -> Iterator[None]:
    """Set Python's clock; ask for this before ``api``, whose token is of that time then."""
    with time_machine.travel(NOON.replace(hour=23)):
        yield
