"""Parts of the API's description that belong to every endpoint."""

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_URL_OR_NULL = {"type": ["string", "null"]}

COMPONENTS: dict[str, dict[str, Any]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457 problem details; `message` repeats `detail`.",
        "required": ["type", "title", "status", "detail", "message"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "message": _TEXT,
            "errorId": {"type": "string", "format": "uuid", "description": "Stands in the log too."},
            "database": _TEXT,
            "broker": _TEXT,
            "version": _TEXT,
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemError"}},
        },
        "additionalProperties": False,
    },
    "ProblemError": {
        "type": "object",
        "required": ["field", "rule", "message"],
        "properties": {"field": {"type": ["string", "null"]}, "rule": _TEXT, "message": _TEXT},
        "additionalProperties": False,
    },
    "PageMeta": {
        "type": "object",
        "required": [
            "total", "perPage", "currentPage", "lastPage", "firstPage",
            "firstPageUrl", "lastPageUrl", "nextPageUrl", "previousPageUrl",
        ],
        "properties": {
            "total": _COUNT,
            "perPage": _COUNT,
            "currentPage": _COUNT,
            "lastPage": _COUNT,
            "firstPage": _COUNT,
            "firstPageUrl": _TEXT,
            "lastPageUrl": _TEXT,
            "nextPageUrl": _URL_OR_NULL,
            "previousPageUrl": _URL_OR_NULL,
        },
        "additionalProperties": False,
    },
}  # fmt: skip
