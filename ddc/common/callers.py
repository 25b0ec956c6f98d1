"""The IP address of a request's client, as limits count it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

#: Stands for every client without a usable address, so that they share one limit.
UNKNOWN = "0.0.0.0"  # noqa: S104 - nothing listens on it
#: The part of an IPv6 address that its owner chooses.
_HOST_BITS = 64


def client_ip(request: HttpRequest, *_: object) -> str:
    """Return the client's IP address; the header's entries count from as many proxies as TRUSTED_PROXIES.

    IPv6 is cut to its first 64 bits, because every customer has that many addresses. The web server gives ``X_Forwarded_For`` and
    ``X-Forwarded-For`` the same name, so the proxies must drop header names with underscores, or use a name without a hyphen
    (CLIENT_ADDRESS_HEADER), which has no second spelling.
    """
    header = "HTTP_" + settings.CLIENT_ADDRESS_HEADER.upper().replace("-", "_")
    hops = [hop.strip() for hop in request.META.get(header, "").split(",") if hop.strip()]
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
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.scope_id:
        return UNKNOWN
    ipv4 = address.ipv4_mapped or address.sixtofour
    return str(ipv4 or ipaddress.IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS))
