"""Who makes a request: the signed-in person, and the client's IP address as limits count it."""

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty

from ddc.common.postgresql.recorded import Actor

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


def signed_in(request: HttpRequest) -> tuple[str, Any]:
    """Return "agent" or "debtor" and the row, if the caller is known without a query; else an empty text and None."""
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject):
        wrapped = user.__dict__.get("_wrapped", empty)
        user = wrapped if wrapped is not empty else None
    caller = getattr(user, "debtor", user)
    return (type(caller).__name__.lower(), caller) if getattr(caller, "pk", None) else ("", None)


def actor(request: HttpRequest) -> Actor:
    """Return the actor of the changes that the request makes."""
    path = request.path_info
    source = "admin" if path.startswith("/admin") else "portal" if path.startswith("/portal") else "api"
    kind, caller = signed_in(request)
    if caller is None:
        return Actor("anonymous", source)
    return Actor(kind, source, id=str(caller.pk), name=getattr(caller, "username", None))
