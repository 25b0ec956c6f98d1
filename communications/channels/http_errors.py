"""What a failed HTTP request to a provider means for the message in it."""

from communications.channels.message import Result

#: Wrong credentials can be corrected in the settings; the message is good.
_CREDENTIALS = frozenset({401, 403})


def result_of_status(status: int) -> Result:
    """Classify the HTTP status of a failed dispatch: refused for now or for good, or taken with an unreadable answer."""
    if status < 400:
        return Result.UNCERTAIN
    return Result.RETRY if status == 429 or status >= 500 or status in _CREDENTIALS else Result.FAILED


def result_of_error(error: BaseException) -> Result | None:
    """Classify a request without an answer: it cannot have arrived (retry), or it may have (uncertain).

    Return None for an error that neither ``requests`` nor Amazon's client raised.
    """
    import requests
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    if type(error.__cause__).__module__ == "botocore.exceptions":
        return _result_of_amazon(error.__cause__)
    if not isinstance(error, requests.RequestException):
        return None
    if isinstance(error.__cause__, requests.RequestException):
        error = error.__cause__  # anymail wraps the error, and its cause names the stage.
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return Result.RETRY
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    refused = isinstance(error, requests.ConnectionError) and isinstance(cause, NewConnectionError)
    return Result.RETRY if refused else Result.UNCERTAIN


def _result_of_amazon(error: BaseException | None) -> Result:
    from botocore.exceptions import HTTPClientError, ParamValidationError

    if isinstance(error, ParamValidationError):
        return Result.FAILED
    # Any other error of the client, such as missing credentials, comes before the request.
    return Result.UNCERTAIN if isinstance(error, HTTPClientError) else Result.RETRY
