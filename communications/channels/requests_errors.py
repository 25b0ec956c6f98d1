"""What a failed HTTP request says about the message in it."""

from communications.channels.message import Result


def read(error: Exception) -> Result | None:
    """Tell whether the request can't have arrived (retry) or may have (uncertain); None if it is no error of requests."""
    import requests
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    if not isinstance(error, requests.RequestException):
        return None
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return Result.RETRY
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    refused = isinstance(error, requests.ConnectionError) and isinstance(cause, NewConnectionError)
    return Result.RETRY if refused else Result.UNCERTAIN
