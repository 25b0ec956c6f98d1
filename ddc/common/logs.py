"""Logs as JSON lines, with the request's id, and without what must not be read there."""

import logging
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from ddc.common import masking

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def json_formatter() -> logging.Formatter:
    """Return the formatter that LOGGING names."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            masking.processor,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        foreign_pre_chain=_SHARED,
    )


def _dumps(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()
