"""Twilio's API: SMS and calls, and what its errors mean."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from django.conf import settings

from communications.channels import http_errors
from communications.channels.message import Outcome, Outgoing, Result

if TYPE_CHECKING:
    from twilio.rest import Client

log = structlog.get_logger(__name__)

PROVIDER = "twilio"
#: https://www.twilio.com/docs/api/errors: 21610 "Attempt to send to unsubscribed recipient", 20429 "Too many requests".
OPTED_OUT, TOO_MANY = 21610, 20429
_TIMEOUT_SECONDS = 10
_OUR_FAULT = frozenset({401, 403})


def callback_url(outgoing: Outgoing) -> str:
    """Where Twilio reports on a message; its id comes along, in case the answer with Twilio's own never arrives."""
    return f"{settings.PUBLIC_URL}/callbacks/twilio/status?log={outgoing.message_id}"


def hand_over(create: "Callable[[Client], Any]") -> Outcome:
    """Call the API and say what became of the message."""
    from twilio.base.exceptions import TwilioException, TwilioRestException

    try:
        twilio = client()
    except TwilioException as error:  # No credentials, or such as are none; nothing has gone out.
        return Outcome(Result.RETRY, PROVIDER, words=str(error), down=True)
    try:
        return Outcome(Result.SENT, PROVIDER, create(twilio).sid)
    except TwilioRestException as error:
        return _refused(error.status, error.code, error.msg)
    except Exception as error:
        result = http_errors.result_of_error(error)
        if result is None:
            log.error("twilio_hand_over_failed", exc_info=error)
        down = result is not None
        return Outcome(result or Result.UNCERTAIN, PROVIDER, words=f"{type(error).__name__}: {error}", down=down)


def client() -> "Client":
    """Return Twilio's own client with our account.

    :raises TwilioException: without credentials, or with such as are none
    """
    return _client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_API_URL)


def _refused(status: int, code: int | None, words: str) -> Outcome:
    if code == OPTED_OUT:
        result = Result.OPTED_OUT
    elif code == TOO_MANY or status == 429 or status >= 500 or status in _OUR_FAULT:
        result = Result.RETRY
    else:
        result = Result.FAILED
    return Outcome(result, PROVIDER, words=f"Twilio {code or status}: {words}", down=result == Result.RETRY)


@lru_cache(maxsize=4)
def _client(account: str, token: str, api_url: str) -> "Client":
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class Elsewhere(TwilioHttpClient):  # type: ignore[misc]
        """Sends what is meant for Twilio to TWILIO_API_URL."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            there, meant = urlsplit(api_url), urlsplit(url)
            path = there.path.rstrip("/") + meant.path
            return super().request(
                method, urlunsplit((there.scheme, there.netloc, path, meant.query, "")), *args, **kwargs
            )

    http = (Elsewhere if api_url else TwilioHttpClient)(timeout=_TIMEOUT_SECONDS)
    return Client(account, token, http_client=http)
