"""A debtor, and the API as that debtor sees it."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from communications.texts import one_time_code
from debtors.models import Debtor
from portal import otp, tokens
from portal.models import OtpSession
from tests import factories
from tests.conftest import Api


@pytest.fixture
def debtor(db: None) -> Debtor:
    return factories.debtor()


@pytest.fixture
def api_of() -> Callable[[Debtor], Api]:
    """Sign a debtor in."""
    return lambda debtor: Api(tokens.issue(debtor, now=timezone.now())[0])


@pytest.fixture
def mine(debtor: Debtor, api_of: Callable[[Debtor], Api]) -> Api:
    """The API as the debtor sees it."""
    return api_of(debtor)


@pytest.fixture
def sent_code(debtor: Debtor) -> str:
    """A code that a worker has sent to the debtor."""
    return code_of(ask(debtor))


def ask(debtor: Debtor) -> OtpSession:
    """Ask for a code as the debtor, and have a worker answer."""
    session = otp.request(str(debtor.mobile_phone), client_ip="192.0.2.1", now=timezone.now())
    otp.answer(clock=timezone.now)
    return session


def code_of(session: OtpSession) -> str:
    return one_time_code.derive(session.pk)


def other_than(code: str) -> str:
    """Return a wrong code."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
