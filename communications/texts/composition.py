"""The text of one message: subject, plain text, and for mail an HTML part."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import nh3
from django.conf import settings

from communications.texts import placeholders

_MARKUP = re.compile(
    r"</?(?:p|br|div|span|a|b|i|strong|em|ul|ol|li|h[1-6]|table|html|body|img|hr)\b[^<>]*>", re.IGNORECASE
)
_LINK = re.compile(r"https?://(?:[^\s<>\"'&]|(?<!/)&amp;(?=[^\s<>\"'&]))+")
_END = "</body></html>"
#: The length of the column. Mail programs cut subjects much earlier.
_SUBJECT_LENGTH = 998
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol"})


@dataclass(frozen=True)
class Text:
    """The text of one message: ``body`` is plain text; only a mail has ``html``."""

    subject: str | None
    body: str
    html: str | None = None


def compose(subject: str | None, body: str, values: Mapping[str, str], *, mail: bool) -> Text:
    """Fill in a template's subject and body.

    A mail's body with markup is HTML: its values are escaped, scripts and remote images are removed, and the plain part is made
    from it. Any other body is plain text, and the HTML part is made from it. A subject is one line.
    """
    line = " ".join(placeholders.render(subject, values).split())[:_SUBJECT_LENGTH] if subject else None
    if not mail:
        return Text(line, placeholders.render(body, values))
    if _MARKUP.search(body):
        rich = nh3.clean(
            placeholders.render(body, values, escape=True),
            link_rel=None,
            url_schemes=nh3.ALLOWED_URL_SCHEMES | {"cid"},
            attribute_filter=_without_remote_image,
        )
        return Text(line, _plain(rich), _page(rich))
    plain = placeholders.render(body, values)
    return Text(line, plain, _page(_paragraphs(plain)))


def is_markup(body: str) -> bool:
    """Return whether a mail's body is HTML."""
    return bool(_MARKUP.search(body))


def preview(body: str, values: Mapping[str, str], *, mail: bool) -> str:
    """Fill in a body for a preview, and keep it as plain text or HTML."""
    return placeholders.render(body, values, escape=mail and bool(_MARKUP.search(body)))


def with_pixel(text: Text, url: str) -> Text:
    """Put a picture of one pixel at the end of a mail's HTML part."""
    pixel = f'<img src="{html.escape(url)}" width="1" height="1" alt="">'
    return replace(text, html=(text.html or "").removesuffix(_END) + pixel + _END)


def _page(inside: str) -> str:
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{inside}{_END}'


def _paragraphs(plain: str) -> str:
    escaped = _LINK.sub(lambda m: f'<a href="{m[0]}">{m[0]}</a>', html.escape(plain, quote=False))
    lines = (line if line.strip() else "" for line in escaped.replace("\r\n", "\n").split("\n"))
    parts = (part.strip("\n") for part in re.split(r"\n{2,}", "\n".join(lines)))
    return "".join("<p>{}</p>".format(part.replace("\n", "<br>")) for part in parts if part)


def _without_remote_image(tag: str, attribute: str, value: str) -> str | None:
    """Keep only attached images and ours. A picture on another server would report each opening to it, without consent."""
    is_ours = value.startswith((f"{settings.PUBLIC_URL}/", "cid:"))
    return value if tag != "img" or attribute != "src" or is_ours else None


class _PlainText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag == "a" and (target := dict(attrs).get("href")):
            self._target, self._link_start = target, len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS - {"br", "hr"}:
            self.parts.append("\n")
        target = getattr(self, "_target", None)
        if tag == "a" and target:
            if target not in "".join(self.parts[self._link_start :]):
                self.parts.append(f" ({target})")
            self._target = ""

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"\s+", " ", data))


def _plain(rich: str) -> str:
    parser = _PlainText()
    parser.feed(rich)
    parser.close()
    lines = [line.strip() for line in "".join(parser.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
