"""The translations of the debtors' pages: extract messages, update and compile ``locale/``. No tool of the system is needed.

    python -m ddc.translations update    # after a change of a text: put new messages into each .po file, take old ones out
    python -m ddc.translations compile   # write the .mo files that Django reads; `make` and the image do it by themselves

The .mo files are not committed.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

BASE = Path(__file__).resolve().parent.parent
LOCALE = BASE / "locale"
#: Languages other than English, the language of the sources.
LANGUAGES = ("ar", "de", "es", "fr")
#: The texts of the debtors' pages. The back office is in English.
_SOURCES = (
    "portal/**/*.py", "ddc/common/error_pages.py", "templates/portal/**/*.html", "templates/error.html",
    "templates/too_many.html", "templates/communications/unsubscribe.html",
)  # fmt: skip
_KEYWORDS = DEFAULT_KEYWORDS | {
    "_": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")


def extract() -> Catalog:
    """Return the messages of the sources, in alphabetical order."""
    catalog = Catalog(charset="utf-8", fuzzy=False)
    for path in sorted({path for pattern in _SOURCES for path in BASE.glob(pattern)}):
        for _line, function, message, comments in _messages(path):
            strings = [string for string in (message if isinstance(message, tuple) else (message,)) if string]
            context = strings.pop(0) if function.startswith(("p", "np")) and strings else None
            if strings:
                found = tuple(strings) if len(strings) > 1 else strings[0]
                catalog.add(found, context=context, auto_comments=comments, flags=_flags(found))
    return catalog


def update() -> list[str]:
    """Bring each .po file up to date; return what is left to translate."""
    template = extract()
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        path = _po(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        written = io.BytesIO()
        write_po(
            written, catalog, width=120, no_location=True, sort_output=True, omit_header=False, ignore_obsolete=True
        )
        path.write_bytes(_without_dates(written.getvalue()))
    return problems()


def compile_all() -> None:
    """Write each .mo file that is missing or older than its .po file."""
    for language in LANGUAGES:
        source, target = _po(language), _po(language).with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        unfinished = target.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as file:
            write_mo(file, read(language))
        unfinished.replace(target)  # Others may be reading it.


def problems() -> list[str]:
    """Return what is wrong with the .po files: out of date, missing, fuzzy, or with other placeholders than the source."""
    template = extract()
    wanted = {_key(message) for message in template if message.id}
    found = []
    for language in LANGUAGES:
        catalog = read(language)
        own = {_key(message): message for message in catalog if message.id}
        found += [f"{language}: not in the .po file: {key[1]}" for key in sorted(wanted - own.keys(), key=str)]
        found += [f"{language}: not in the sources: {key[1]}" for key in sorted(own.keys() - wanted, key=str)]
        found += [
            f"{language}: {fault}: {key[1]}" for key, message in own.items() if (fault := _fault(message, catalog))
        ]
    return found


def read(language: str) -> Catalog:
    """Return the catalog of a language; an empty one if there is none."""
    path = _po(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _messages(path: Path) -> Iterator[tuple[int, str, Any, list[str]]]:
    text = path.read_text("utf-8")
    if path.suffix == ".html":
        from django.utils.translation.template import templatize

        # What is left of a template are calls of gettext between letters; only the indents would disturb Python's tokenizer.
        text = "\n".join(line.lstrip() for line in templatize(text).splitlines())
    found: Any = extract_python(io.BytesIO(text.encode()), _KEYWORDS, ("Translators:",), {"encoding": "utf-8"})
    yield from found  # Babel's annotation is that of another function.


def _without_dates(written: bytes) -> bytes:
    """Take out the header's lines that change with each run, and its comment: two branches would disagree about them."""
    text = written.decode()
    text = text[text.index('msgid ""') :]
    noise = ("POT-", "PO-", "Project-", "Report-", "Last-", "Language-Team", "Generated-")
    return "".join(
        line for line in text.splitlines(keepends=True) if not line.startswith(tuple(f'"{each}' for each in noise))
    ).encode()


def _flags(message: object) -> list[str]:
    return ["python-format"] if "%(" in str(message) else []


def _fault(message: Message, catalog: Catalog) -> str | None:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if len(texts) < (catalog.num_plurals if message.pluralizable else 1) or not all(texts):
        return "missing"
    if message.fuzzy:
        return "fuzzy"
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    allowed = {place for one in ids for place in _PLACEHOLDER.findall(str(one))}
    for text in texts:
        used = set(_PLACEHOLDER.findall(str(text)))
        # A plural form may do without the number: "one day".
        if used - allowed or (not message.pluralizable and used != allowed):
            return "other placeholders"
    return None


def _key(message: Message) -> tuple[str | None, object]:
    return message.context, message.id


def _po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


if __name__ == "__main__":
    if sys.argv[1:] == ["compile"]:
        compile_all()
    elif sys.argv[1:] == ["update"]:
        left = update()
        sys.stdout.write("".join(f"{line}\n" for line in left) or "Nothing is left to translate.\n")
    else:
        sys.exit(__doc__)
