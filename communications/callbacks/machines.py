"""Who fetches a mail's picture without anybody having looked at it: proxies of mail services, and scanners."""

import re

#: Apple's Mail Privacy Protection asks with nothing but this, for each mail, whether it is read or not.
_BARE = re.compile(r"Mozilla/5\.0", re.IGNORECASE)
_KNOWN = re.compile(
    r"GoogleImageProxy|ggpht\.com"  # Gmail
    r"|YahooMailProxy|YahooCacheSystem|yahoo-mail-proxy"  # Yahoo, AOL
    r"|Edge/12\.246 Mozilla/5\.0"  # Gmail, ahead of its reader
    r"|Barracuda|Proofpoint|Mimecast|Symantec|MessageLabs|Sophos|FireEye|TrendMicro|Forcepoint|Cisco.?IronPort|SafeLinks"
    r"|bot/|crawler|spider|preview|python-|curl/|wget/|Go-http-client|okhttp|java/|libwww|HeadlessChrome",
    re.IGNORECASE,
)


def is_machine(user_agent: str, *, purpose: str = "") -> bool:
    """Tell whether a program of this name opened a mail, and no reader; ``purpose`` is what it says it fetches for."""
    name = user_agent.strip()
    return not name or bool(_BARE.fullmatch(name) or _KNOWN.search(name)) or "prefetch" in purpose.lower()
