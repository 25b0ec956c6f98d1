"""A mail as it goes over the wire (RFC 5322, RFC 2045): plain text, and HTML beside it where there is some.

Written by hand, for the standard library takes as long for a mail as all the rest of its way. What is out of the ordinary, such
as a name in a header that isn't ASCII, is left to Django all the same. Seven bits are enough for every server.
"""

import binascii
import re
import time
from collections.abc import Mapping
from email.header import Header
from email.utils import formatdate
from functools import lru_cache

from django.core.mail.message import forbid_multi_line_headers, sanitize_address

from communications.channels.message import Outgoing

_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)
#: RFC 5322, 2.1.1: the longest line, and the longest one should be.
_LONGEST_LINE, _FIT_LINE = 998, 78


def write(outgoing: Outgoing, *, sender: str, headers: Mapping[str, str]) -> bytes:
    """Return a mail; ``headers`` are those beside sender, recipient, subject and date, which they may give too.

    :raises BadHeaderError: if a header has more than one line
    """
    boundary = f"=_{outgoing.log_id.hex}"
    named = {
        "From": sender,
        "To": outgoing.to,
        "Subject": outgoing.subject or "",
        "Date": _date(int(time.time())),
        **headers,
    }
    lines = [_header(name, value) for name, value in named.items() if value or name == "Subject"]
    lines.append("MIME-Version: 1.0")
    plain = _part("plain", outgoing.body)
    if not outgoing.html:
        return "\r\n".join(lines).encode("ascii") + b"\r\n" + plain
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    edge = f"\r\n--{boundary}".encode()
    return b"".join(
        (
            *("\r\n".join(lines).encode("ascii"), b"\r\n", edge, b"\r\n", plain),
            *(edge, b"\r\n", _part("html", outgoing.html), edge, b"--\r\n"),
        )
    )


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    """Write a moment as a mail's header has it: the same for all mails of a second."""
    return formatdate(second)


@lru_cache(maxsize=1024)
def address(text: str) -> str:
    """Return an address as the envelope has it.

    :raises ValueError: if it is none
    """
    return text if _PLAIN_ADDRESS.fullmatch(text) else sanitize_address(text, "utf-8")


def _header(name: str, value: str) -> str:
    is_simple = value.isascii() and "\n" not in value and "\r" not in value
    if not is_simple:
        name, value = forbid_multi_line_headers(name, value, "utf-8")
    elif name == "Subject" and len(value) + len("Subject: ") > _FIT_LINE:
        # One word that fits no line is written in several encoded ones (RFC 2047).
        is_one_word = max(map(len, value.split())) > _FIT_LINE
        value = Header(value, "utf-8" if is_one_word else None, header_name=name).encode()
    return f"{name}: {value}".replace("\r\n", "\n").replace("\n", "\r\n")


def _part(kind: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    is_simple = raw.isascii() and max(map(len, raw.splitlines()), default=0) <= _LONGEST_LINE
    encoding = "7bit" if is_simple else "quoted-printable"
    if not is_simple:
        raw = binascii.b2a_qp(raw, istext=True)
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
