"""The text of one message: subject, plain text, and for mail an HTML part."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import nh3
from django.conf import settings

from communications.texts import formats, placeholders, sms
from debtors.channels import Channel

_MARKUP = re.compile(
    r"</?(?:p|br|div|span|a|b|i|strong|em|ul|ol|li|h[1-6]|table|html|body|img|hr)\b[^<>]*>", re.IGNORECASE
)
_LINK = re.compile(r"https?://(?:[^\s<>\"'&]|(?<!/)&amp;(?=[^\s<>\"'&]))+")
_END = "</body></html>"
#: The language of a text for which none is given.
_FALLBACK = "en"
_ATTRIBUTES = {**nh3.ALLOWED_ATTRIBUTES, "*": {*nh3.ALLOWED_ATTRIBUTES.get("*", ()), "lang", "title", "dir"}}
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol"})


@dataclass(frozen=True)
class Text:
    """The text of one message: ``body`` is plain text; only a mail has ``html``."""

    subject: str | None
    body: str
    html: str | None = None


def compose(
    subject: str | None, body: str, values: Mapping[str, str], *, channel: str, language: str | None = None
) -> Text:
    """Fill in a template's subject and body. ``language`` is that of the text.

    A mail's body with markup is HTML: its values are escaped, scripts and remote images are removed, and the plain part is made
    from it. Any other body is plain text, and a mail's HTML part is made from it. A subject is one line. A text message gets
    plain quotes, dashes and spaces if it fits the cheap alphabet then.
    """
    line = " ".join(placeholders.render(subject, values).split()) if subject else None
    if channel == Channel.EMAIL and is_markup(body):
        rich = nh3.clean(
            placeholders.render(body, values, escape=True),
            link_rel=None,
            url_schemes=nh3.ALLOWED_URL_SCHEMES | {"cid"},
            attributes=_ATTRIBUTES,
            attribute_filter=_without_remote_image,
        )
        return Text(line, _plain(rich), _page(rich, language))
    plain = placeholders.render(body, values)
    if channel == Channel.EMAIL:
        return Text(line, plain, _page(_paragraphs(plain), language))
    return Text(line, sms.in_cheap_alphabet(plain) if channel == Channel.SMS else plain)


def is_markup(body: str) -> bool:
    """Return whether a mail's body is HTML."""
    return bool(_MARKUP.search(body))


def preview(body: str, values: Mapping[str, str], *, channel: str) -> str:
    """Fill in a body for a preview, and keep it as plain text or HTML."""
    text = placeholders.render(body, values, escape=channel == Channel.EMAIL and is_markup(body))
    return sms.in_cheap_alphabet(text) if channel == Channel.SMS else text


def with_pixel(text: Text, url: str) -> Text:
    """Put a picture of one pixel at the end of a mail's HTML part."""
    pixel = f'<img src="{html.escape(url)}" width="1" height="1" alt="">'
    return replace(text, html=(text.html or "").removesuffix(_END) + pixel + _END)


def _page(inside: str, language: str | None) -> str:
    tag, direction = html.escape(language or _FALLBACK), formats.direction(language)
    head = '<head><meta charset="utf-8"></head>'
    return f'<!doctype html><html lang="{tag}" dir="{direction}">{head}<body>{inside}{_END}'


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
        self.parts.append(re.sub(r"[ \t\r\n\f]+", " ", data))  # Not no-break spaces.


def _plain(rich: str) -> str:
    parser = _PlainText()
    parser.feed(rich)
    parser.close()
    lines = [line.strip() for line in "".join(parser.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
