"""Find the new text of a mail: without the mail that it answers, its signature and its markup."""

import html
import re

_MAX_CHARACTERS, _LONGEST_LINE = 20_000, 500
#: In the line that mail programs write above the quoted mail, which may be broken once, in the languages of our texts.
_WROTE = re.compile(
    r"\b(?:wrote|schrieb|geschrieben|écrit|escribió|scritto|escreveu|schreef|geschreven|napisał|napisała|pisze|skrev"
    r"|כתב|כתבה|كتب|كتبت)\b",
    re.IGNORECASE,
)
_DIVIDER = re.compile(r"_{8,200}|-{2,20}[^-]{3,60}-{2,20}")
_HEADER = re.compile(r"\W?(?:from|von|de|da|van|od|מאת|من)\W? ?:[^@]{0,200}@", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/li)\b[^<>]*>", re.IGNORECASE)
_QUOTE = re.compile(r"<blockquote|class=\"?gmail_quote|id=\"?(?:divRplyFwdMsg|appendonsend)", re.IGNORECASE)


def new_text(body: str) -> str:
    """Return what the sender wrote: above the quoted mail, or below it if there is nothing above."""
    body = body[:_MAX_CHARACTERS]
    if body.lstrip().startswith("<"):
        body = _text_of_markup(body)
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = next((number for number in range(len(lines)) if _begins_quote(lines, number)), len(lines))
    above = _without_quotes(lines[:end])
    return above or _without_quotes(lines[end + 1 :])


def _text_of_markup(body: str) -> str:
    quote = _QUOTE.search(body)
    kept = body[: body.rfind("<", 0, quote.start() + 1)] if quote else body
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", kept)))


def _begins_quote(lines: list[str], number: int) -> bool:
    line = lines[number].strip()
    joined = f"{line} {lines[number + 1].strip()}" if number + 1 < len(lines) else line
    if _DIVIDER.fullmatch(line) or _HEADER.match(line):
        return True
    return _introduces(line) or (
        not line.endswith((".", "!", "?")) and any(map(str.isdigit, line)) and _introduces(joined)
    )


def _introduces(text: str) -> bool:
    """Return whether it is a line such as "On 5 January 2026 at 10:00, DDC <a@example.com> wrote:"."""
    return (
        len(text) < _LONGEST_LINE and text.endswith(":") and any(map(str.isdigit, text)) and bool(_WROTE.search(text))
    )


def _without_quotes(lines: list[str]) -> str:
    kept = []
    for line in lines:
        if line.rstrip() == "--":  # The signature follows.
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip()
