"""Keep the files that debtors hand in: pictures and PDF, recognised by their content."""

import hashlib
import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from PIL import Image, UnidentifiedImageError

from casework.models import Document
from collection.models import Dispute
from ddc.common import rate_limits
from ddc.common.errors import Invalid, Missing
from ddc.common.rate_limits import RateLimit
from debtors.models import Debtor

MAX_BYTES = 10_000_000
#: For one debtor.
LIMIT = RateLimit(20, timedelta(days=1))
_PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_PDF = "application/pdf"
#: Programs look for the mark within the first kilobyte, and write the end mark into the last one.
_MARK_WITHIN = 1024
_NAME_LENGTH = 150
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", _PDF: ".pdf"}


class FileRequired(Missing):
    field = "file"
    message = "The file is missing. Choose a picture or a PDF."


class FileTooLarge(Invalid):
    field = "file"
    code = "maxLength"
    message = "The file is too large. Choose one of at most 10 MB."


class UnknownFile(Invalid):
    field = "file"
    code = "enum"
    message = "We cannot read this file. Choose a PDF, or a picture as JPEG, PNG or WebP."


class FileRefused(Invalid):
    field = "file"
    code = "scan"
    message = "Our check refused this file. Choose another one."


class DisputeOfAnotherDebtor(Invalid):
    field = "dispute_id"
    code = "database.exists"
    message = "This resource does not exist."


@dataclass(frozen=True)
class File:
    """A file that may be kept: its safe name, its content type as found in the content, and the content."""

    name: str
    content_type: str
    content: bytes


def examine(name: str, content: bytes) -> File:
    """Check a file. Do not call it in a transaction: the scanner of ``DOCUMENT_SCANNER`` may take long.

    :param name: as the debtor's browser calls it; its ending follows from the content
    :raises FileRequired: if it is empty
    :raises FileTooLarge: if it has more than ``MAX_BYTES``
    :raises UnknownFile: if it is no picture or PDF, whatever its name
    :raises FileRefused: if the scanner refuses it
    """
    content_type = check(content)
    safe = file_name(name, content_type)
    if not _scanner()(content, safe):
        raise FileRefused
    return File(safe, content_type, content)


def check(content: bytes) -> str:
    """Return the content type of a file, as found in its bytes.

    :raises FileRequired, FileTooLarge, UnknownFile: like ``examine``
    """
    if not content:
        raise FileRequired
    if len(content) > MAX_BYTES:
        raise FileTooLarge
    if b"%PDF-" in content[:_MARK_WITHIN]:
        if b"%%EOF" not in content[-_MARK_WITHIN:]:
            raise UnknownFile
        return _PDF
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_PICTURES)) as picture:
            kind = _PICTURES[picture.format or ""]
            picture.verify()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError) as error:
        raise UnknownFile from error
    return kind


def file_name(name: str, content_type: str) -> str:
    """Return a name that is safe in headers and file systems, with the ending of the content's type."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    plain = "".join(letter for letter in plain if letter.isprintable() and letter not in '<>:"|?*%;')
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", plain).strip(" .") or "document"
    ending = _ENDINGS[content_type]
    return stem[: _NAME_LENGTH - len(ending)] + ending


def content_of(document: Document) -> bytes:
    """Return the bytes of a document."""
    return bytes(document.content)


@transaction.atomic
def keep(debtor: Debtor, file: File, *, dispute: Dispute | None = None, now: datetime) -> Document:
    """Keep an examined file of a debtor.

    :raises DisputeOfAnotherDebtor: if the dispute is not this debtor's
    :raises TooMany: if the debtor handed in many files today
    """
    if dispute is not None and dispute.debt.debtor_id != debtor.pk:
        raise DisputeOfAnotherDebtor
    rate_limits.serialize("document", str(debtor.pk))
    rate_limits.consume([(Document.objects.filter(debtor=debtor), LIMIT)], now=now)
    return Document.objects.create(
        debtor=debtor,
        dispute=dispute,
        name=file.name,
        content_type=file.content_type,
        size=len(file.content),
        digest=hashlib.sha256(file.content).hexdigest(),
        content=file.content,
        created_at=now,
    )


def _accept(content: bytes, name: str) -> bool:
    return True


def _scanner() -> Callable[[bytes, str], bool]:
    """Return the agency's scanner: a callable that takes content and name, and returns whether the file may be kept."""
    path = settings.DOCUMENT_SCANNER
    found: Callable[[bytes, str], bool] = import_string(path) if path else _accept
    return found
