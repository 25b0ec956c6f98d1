"""Write logs as JSON lines, with the request's id and without personal data.

Our lines go straight to the stream, which is faster for a line per request. Those of libraries pass through Python's logging.
"""

import logging
import sys
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from ddc.common.observing import masking


def write(line: str) -> None:
    """Write a line at once, so that the lines of several processes do not mix.

    If that fails, as on a full disk, the line is lost but the work goes on.
    """
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")


class Lines:
    """The target of structlog for our lines."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def info(self, line: str) -> None:
        write(line)

    warning = error = critical = info


def _dumps(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_WRITING: list[Processor] = [
    structlog.processors.format_exc_info,
    masking.processor,
    structlog.processors.JSONRenderer(serializer=_dumps),
]

structlog.configure(
    processors=[*_SHARED, *_WRITING],
    logger_factory=Lines,
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    cache_logger_on_first_use=True,
)


#: Whether this is the thread of a request that is being answered.
answering: ContextVar[bool] = ContextVar("answering", default=False)
_LIBRARY = "library_message"


class WithoutCallersText(logging.Filter):
    """Replace what libraries log about a request: their texts quote its host, origin, path, user name or body.

    Django's lines about CSRF and wrong hosts do. The logger, the place in the code and the type
    of the exception remain; the line of the request, with the same id, has the method, the route and the status.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if answering.get() and record.msg != _LIBRARY:  # Another handler may have seen it before.
            error = record.exc_info[0] if record.exc_info else None
            record.msg, record.args = _LIBRARY, ()
            record.source = f"{Path(record.pathname).name}:{record.lineno}"
            record.error = error.__name__ if error else None
            record.exc_info = record.exc_text = record.stack_info = None
        return True


def json_formatter() -> logging.Formatter:
    """Return the formatter that LOGGING names."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_WRITING],
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder(allow=("source", "error"))],
    )
