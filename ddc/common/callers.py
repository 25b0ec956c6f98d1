"""Where a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest, *_: object) -> str | None:
    """Return the caller's IP address, believing as many proxies as TRUSTED_PROXIES says and none more."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    hops.append(request.META.get("REMOTE_ADDR", ""))
    nearest = hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)]
    try:
        return str(ipaddress.ip_address(nearest))
    except ValueError:
        return None
