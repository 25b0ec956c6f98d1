"""A debtor, and the API as that debtor sees it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from communications.texts import one_time_code
from debtors.models import Debtor
from portal import otp, tokens
from portal.models import OtpSession
from portal.pages import pages
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


class Pages(Client):
    """A browser on the portal's pages; its forms send the CSRF token."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    def visit(self, debtor: Debtor) -> "Pages":
        """Sign a debtor in."""
        self.cookies[pages.TOKEN_COOKIE] = tokens.issue_for_pages(debtor, now=timezone.now())
        return self

    def text(self, path: str, status: int = 200) -> str:
        """Return a page's HTML."""
        answer = self.get(path)
        assert answer.status_code == status, answer
        return answer.content.decode()

    def send(self, path: str, *, shown: str | None = None, follow: bool = False, **fields: Any) -> Any:
        """Send a form of a page, which is at the same path or at ``shown``."""
        html = self.get(shown or path).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
        assert token, f"{shown or path} has no form"
        return self.post(path, {"csrfmiddlewaretoken": token[1], **fields}, follow=follow)

    def newest_code(self) -> str:
        """Have a worker answer, and return the code that was sent last."""
        otp.answer(clock=timezone.now)
        return code_of(OtpSession.objects.all()[0])


@pytest.fixture
def browser() -> Pages:
    return Pages()
