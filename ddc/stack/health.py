"""Check the health of the site on this machine."""

import http.client
from urllib.parse import urlsplit

from .process import LOOPBACK

_TIMEOUT_SECONDS = 5


def problem(port: int, public_url: str, path: str = "/health") -> str:
    """Return what is wrong with the site, or an empty string if it answers 200.

    The request carries the site's public host name, because ALLOWED_HOSTS may allow no other.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": urlsplit(public_url).netloc})
        response = connection.getresponse()
        if response.status == 200:
            return ""
        return f"{response.status} {response.read(500).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
