"""The IP address of a request's client."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

#: Stands for every client without a usable address, so that they share one limit.
UNKNOWN = "0.0.0.0"  # noqa: S104 - nothing listens on it


def client_ip(request: HttpRequest, *_: object) -> str:
    """Return the client's IP address; entries of X-Forwarded-For count from as many proxies as TRUSTED_PROXIES.

    The web server gives ``X_Forwarded_For`` the same name, so the proxies must drop header names with underscores.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    hops.append(request.META.get("REMOTE_ADDR", ""))
    return _parsed(hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)])


def _parsed(text: str) -> str:
    """Return the normal form of an address with or without a port, or UNKNOWN."""
    host, bracket, _ = text.removeprefix("[").partition("]")
    if not bracket and text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return UNKNOWN
        return str(address.ipv4_mapped or address)
    return str(address)
