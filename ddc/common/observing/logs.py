"""Write logs as JSON lines, with the request's id and without personal data.

Our lines go straight to the stream, which is faster for a line per request. Those of libraries pass through Python's logging.
"""

import logging
import sys
from contextlib import suppress
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


def json_formatter() -> logging.Formatter:
    """Return the formatter that LOGGING names."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_WRITING],
        foreign_pre_chain=_SHARED,
    )
