"""Count the openings of a mail: by its reader, or by a program that fetches the pictures of every mail."""

import re
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import Signal

from communications.models import CommunicationLog

#: A reader opened a mail; receivers get ``message`` and ``now``. Sent within the transaction.
opened = Signal()

#: Apple's Mail Privacy Protection sends only this, for each mail, whether it is read or not.
_BARE = re.compile(r"Mozilla/5\.0", re.IGNORECASE)
_PROGRAMS = re.compile(
    r"YahooMailProxy|YahooCacheSystem|yahoo-mail-proxy"  # Yahoo, AOL
    r"|Edge/12\.246 Mozilla/5\.0"  # Gmail, ahead of its reader
    r"|Barracuda|Proofpoint|Mimecast|Symantec|MessageLabs|Sophos|FireEye|TrendMicro|Forcepoint|Cisco.?IronPort|SafeLinks"
    # Messengers and networks that preview a link or a forwarded mail. (Cubot makes phones.)
    r"|WhatsApp|Slackbot|Slack-ImgProxy|facebookexternalhit|facebookcatalog|meta-external|Viber|Google-(?:Safety|Read-Aloud)"
    r"|(?<!cu)bot\b|crawler|spider|preview|python-|curl/|wget/|Go-http-client|okhttp|java/|libwww|HeadlessChrome"
    r"|axios/|node-fetch|undici|HttpClient|PostmanRuntime|zgrab|Embedly|Iframely|Onebox|-scrap/|vkShare"
    r"|Google-(?:InspectionTool|Apps-Script)",
    re.IGNORECASE,
)


def is_machine(user_agent: str, *, purpose: str = "") -> bool:
    """Return whether a program, not a reader, opened a mail; ``purpose`` is the request's own ``Purpose`` header.

    Gmail's image proxy (``ggpht.com GoogleImageProxy``) fetches a picture when a person opens the mail. The program that fetches
    pictures ahead of the reader has a name of its own.
    """
    name = user_agent.strip()
    return (
        not name
        or bool(_BARE.fullmatch(name) or _PROGRAMS.search(name))
        or any(word in purpose.lower() for word in ("prefetch", "preview"))
    )


def count(message: CommunicationLog, *, by_machine: bool, now: datetime) -> None:
    """Count an opening, and report it to ``opened`` if a reader made it."""
    name = "machine_open" if by_machine else "open"
    counted = {f"{name}_count": F(f"{name}_count") + 1, f"{name}ed_at": Coalesce(f"{name}ed_at", now)}
    row = CommunicationLog.objects.filter(pk=message.pk)
    row.update(**counted, updated_at=now)
    if not by_machine:
        opened.send(CommunicationLog, message=row.select_related("debtor", "debt").get(), now=now)
