"""The IP address of a request's client."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest, *_: object) -> str | None:
    """Return the client's IP address; entries of X-Forwarded-For count from as many proxies as TRUSTED_PROXIES."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    hops.append(request.META.get("REMOTE_ADDR", ""))
    nearest = hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)]
    try:
        return str(ipaddress.ip_address(nearest))
    except ValueError:
        return None
