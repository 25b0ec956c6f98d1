"""Refusals of domain functions, and violated constraints as refusals."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError, RestrictedError
from psycopg.errors import ForeignKeyViolation


class DomainError(Exception):
    """A refusal: a code, a message for people, and the field at fault, if any.

    ``field`` is the snake_case name; the API shows it in camelCase. ``status`` is the HTTP status of the API's answer, which
    has the code too where ``shows_code`` is set.
    """

    status = 409
    code = "invalid"
    shows_code = False
    field: str | None = None
    message = "This is not allowed."

    def __init__(self, message: str | None = None, *, code: str | None = None, field: str | None = None) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.field = field or self.field
        super().__init__(self.message)


class Forbidden(DomainError):
    """The caller lacks the permission."""

    status = 403
    code = "forbidden"
    message = "You do not have permission for this."


class TooMany(DomainError):
    """Too many requests. The next one is allowed after ``retry_after`` seconds."""

    status = 429
    code = "tooMany"
    message = "Too many requests. Please try again later."

    def __init__(self, message: str | None = None, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Invalid(DomainError):
    """A value is refused."""

    status = 422


class Missing(Invalid):
    """A required value is missing."""

    code = "required"


class OutOfRange(Invalid):
    """A value is too large or too small, or a date too early or too late."""

    code = "range"


class Duplicate(Invalid):
    """A unique value exists already."""

    code = "database.unique"
    message = "This is already in use."


class Stale(DomainError):
    """The row has changed since the caller read it."""

    field = "updated_at"
    code = "stale"
    message = "This has changed since you read it. Read it again before you change money."


def require_unchanged(updated_at: datetime, *, since: datetime | None) -> None:
    """Compare a row's ``updated_at`` with the one that the caller read, in milliseconds, as the API answers them.

    :raises Stale: if they differ; None asks for no comparison
    """
    if since is not None and _milliseconds(since) != _milliseconds(updated_at):
        raise Stale


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


@contextmanager
def refusing(constraints: Mapping[str, DomainError], *, savepoint: bool = True) -> Iterator[None]:
    """Run a write in a savepoint and turn a violated constraint, by its name, into a refusal.

    The database decides, because two simultaneous writers would both pass a check beforehand. If the transaction ends with the
    refusal, ``savepoint=False`` saves two round trips.
    """
    try:
        with transaction.atomic(savepoint=savepoint):
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        refusal = constraints.get(getattr(diagnosis, "constraint_name", None) or "")
        if refusal is None:
            raise
        raise refusal from error


@contextmanager
def deleting(refusal: type[DomainError]) -> Iterator[None]:
    """Delete a row in a savepoint; refuse if another row refers to it, one that was just committed too.

    Django finds what refers to the row before it deletes, and defers foreign keys to COMMIT. A reference that another transaction
    adds in between would fail there, outside of every domain function, so they are checked here.

    :raises DomainError: the refusal
    """
    try:
        with transaction.atomic():
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except (ProtectedError, RestrictedError) as error:
        raise refusal from error
    except IntegrityError as error:
        if not isinstance(error.__cause__, ForeignKeyViolation):
            raise
        raise refusal from error
