"""Parts of the API's description that all endpoints share."""

from typing import Any

from ddc.common.api.problems import PROBLEM_JSON
from ddc.common.api.schema_fields import CODES

Described = dict[str, Any]

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_FROM_ONE = {"type": "integer", "minimum": 1}
_URL_OR_NULL = {"type": ["string", "null"]}

_ANY_VALUE = {"$ref": "#/components/schemas/JsonValue"}
_ERRORS = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ProblemError"}}
_DOWN = {"type": "string", "description": "`ok`, or what is wrong."}


def _object(properties: Described, *, may_lack: tuple[str, ...] = ()) -> Described:
    required = [name for name in properties if name not in may_lack]
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _problem(description: str, more: Described | None = None, *, may_lack: tuple[str, ...] = ()) -> Described:
    """Return the members of RFC 9457, with ``message`` for older clients and our own."""
    members = {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT, "message": _TEXT}
    return {"description": description, **_object({**members, **(more or {})}, may_lack=may_lack)}


COMPONENTS: dict[str, Described] = {
    **CODES,
    "Problem": _problem("RFC 9457 problem details; `message` repeats `detail`."),
    "SignInRefused": _problem(
        "The credentials are wrong (without `code`), or the code of the second factor is missing or wrong.",
        {"code": {"type": "string", "enum": ["otp_required", "otp_invalid"]}},
        may_lack=("code",),
    ),
    "Conflict": _problem(
        "The current state does not allow it; `errors` has the field at fault, if any.",
        {"errors": _ERRORS},
        may_lack=("errors",),
    ),
    "InvalidInput": _problem("Fields are invalid, each named as the client sent it.", {"errors": _ERRORS}),
    "Failure": _problem(
        "Something went wrong on our side.",
        {"errorId": {"type": "string", "format": "uuid", "description": "Also in the log."}},
    ),
    "Outage": _problem(
        "A part of the system is down.",
        {"database": _DOWN, "broker": _DOWN, "version": _TEXT},
        may_lack=("database", "broker", "version"),
    ),
    "ProblemError": _object(
        {
            "field": {"type": ["string", "null"], "description": "Null if no single field is at fault."},
            "rule": {"type": "string", "description": "The violated rule, by its VineJS name if there is one."},
            "message": _TEXT,
        }
    ),
    "JsonValue": {
        "description": "Any JSON value.",
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": _ANY_VALUE},
            {"type": "object", "additionalProperties": _ANY_VALUE},
        ],
    },
    "PageMeta": _object(
        {
            "total": _COUNT,
            "perPage": _FROM_ONE,
            "currentPage": _FROM_ONE,
            "lastPage": _FROM_ONE,
            "firstPage": _FROM_ONE,
            "firstPageUrl": _TEXT,
            "lastPageUrl": _TEXT,
            "nextPageUrl": _URL_OR_NULL,
            "previousPageUrl": _URL_OR_NULL,
        }
    ),
}

_RETRY = {"Retry-After": {"description": "Seconds.", "required": True, "schema": _FROM_ONE}}
_ASKS_FOR_TOKEN = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}


def _answer(description: str, schema: str = "Problem", headers: Described | None = None) -> Described:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    answer = {"description": description, "content": {PROBLEM_JSON: content, "application/json": content}}
    return {**answer, "headers": headers} if headers else answer


PROBLEMS: dict[str, Described] = {
    "Problem400": _answer("Malformed."),
    "Problem401": _answer("The token is missing, invalid, expired or revoked.", headers=_ASKS_FOR_TOKEN),
    "SignInRefused401": _answer(
        "The user name, the password, or the code of the second factor is wrong.", "SignInRefused", _ASKS_FOR_TOKEN
    ),
    "Problem403": _answer("The token is valid but lacks the permission."),
    "Problem404": _answer("The resource does not exist, or belongs to someone else."),
    "Problem409": _answer("The current state does not allow it.", "Conflict"),
    "Problem413": _answer("The body is too large."),
    "Problem415": _answer("Only JSON is accepted."),
    "Problem422": _answer("A field is invalid.", "InvalidInput"),
    "Problem429": _answer("Too many requests.", headers=_RETRY),
    "Problem431": _answer("A header is too long."),
    "Problem500": _answer("Something went wrong on our side.", "Failure"),
    "Problem503": _answer("A part of the system is down.", "Outage", _RETRY),
}

IGNORED_FIELDS: Described = {
    "description": "Unknown names in the body, the first 20.",
    "schema": {"type": "string"},
}
