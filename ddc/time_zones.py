"""Parse the setting of a time zone."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured


def time_zone(name: str, text: str) -> str:
    """Return the name of a time zone.

    :raises ImproperlyConfigured: if it is not a name of the IANA database
    """
    try:
        return ZoneInfo(text).key
    except (ValueError, KeyError, OSError) as error:
        raise ImproperlyConfigured(
            f"{name} is {text!r}, which is no time zone. Use an IANA name such as Europe/London or UTC."
        ) from error
