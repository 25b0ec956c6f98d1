"""Describe endpoints in OpenAPI, where drf-spectacular does not know our views and fields."""

import copy
import inspect
import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework.permissions import AllowAny

from ddc.common.api.pagination import DEFAULT_LIMIT, LARGEST_PAGE, MAX_LIMIT
from ddc.common.api.rendering import camel
from ddc.common.api.schema_components import COMPONENTS, IGNORED_FIELDS, PROBLEMS
from ddc.common.api.schema_fields import EMPTY, describe
from ddc.common.api.serializers import CamelSerializer

_WRITING = ("POST", "PUT", "PATCH")
_VERBS = {"list": "list", "create": "create", "retrieve": "get", "update": "update", "destroy": "delete"}


class Schema(AutoSchema):
    """drf-spectacular's schema with our pages and errors, and with PUT as a partial update."""

    # --- Names

    def get_tags(self) -> list[str]:
        return [str(self.path.strip("/").split("/")[0]) or "home"]

    def get_operation_id(self) -> str:
        words = [part for part in self.path.strip("/").split("/") if not part.startswith("{")]
        if self.path.endswith("}") or self._action == "create":
            words[-1] = words[-1].removesuffix("s")
        verb = "patch" if self.method == "PATCH" else _VERBS.get(self._action, self._action) or "take"
        return camel("_".join([verb, *words]).replace("-", "_"))

    def get_summary(self) -> str:
        words = re.sub(r"(?=[A-Z])", " ", str(self.get_operation_id())).lower()
        return words[0].upper() + words[1:]

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own is so.
        """Return the docstring of the action, or of the view for actions without a name of their own."""
        own = getattr(self.view, self._action or self.method.lower(), None)
        described = getattr(own, "__doc__", None) or (None if self._action in _VERBS else type(self.view).__doc__)
        return inspect.cleandoc(described) if described else ""

    @property
    def _action(self) -> str:
        return str(getattr(self.view, "action", ""))

    @property
    def _is_paged(self) -> bool:
        return self._action in getattr(self.view, "paged_actions", ())

    @property
    def _is_public(self) -> bool:
        return any(isinstance(permission, AllowAny) for permission in self.view.get_permissions())

    def get_auth(self) -> Any:
        return super().get_auth() if self.view.get_authenticators() else []

    # --- Bodies and answers

    def get_request_serializer(self) -> Any:
        if self.method not in _WRITING:
            return None
        return getattr(self.view, "input_serializer", None) or super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        detail = getattr(self.view, "detail_serializer", None)
        if detail and self._action == "retrieve":
            return detail
        return super().get_response_serializers()

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def _get_request_body(self, direction: Any = "request") -> Any:
        body = super()._get_request_body(direction)
        if body and (self._action == "update" or self._action in getattr(self.view, "bodiless_actions", ())):
            body.pop("required", None)  # No field is required, so the body may be left out.
        return body

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> Any:
        if self._action == "update" and hasattr(serializer, "_declared_fields"):
            serializer = serializer(partial=True) if isinstance(serializer, type) else copy.copy(serializer)
            serializer.partial = True
        return super()._get_request_for_media_type(serializer, direction)

    def _get_response_for_code(
        self, serializer: Any, status_code: Any, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        response = super()._get_response_for_code(serializer, status_code, media_types, direction)
        if self._is_paged and str(status_code) == "200":
            for content in response["content"].values():
                content["schema"] = _page_of(content["schema"])
        return response

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        for name, schema in COMPONENTS.items():
            self._register(name, schema)
        for name, schema in PROBLEMS.items():
            self._register(name, schema, ResolvedComponent.RESPONSE)
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        if self.method in _WRITING and self._reads_json:
            for status, response in responses.items():
                if status.startswith("2"):
                    response["headers"] = {"X-Ignored-Fields": IGNORED_FIELDS}
        for status in sorted(self._refusals() - set(responses)):
            name = getattr(self.view, "refusal_components", {}).get(int(status), f"Problem{status}")
            responses[status] = {"$ref": f"#/components/responses/{name}"}
        return dict(sorted(responses.items()))

    @property
    def _reads_json(self) -> bool:
        return hasattr(self.view, "read")

    def _refusals(self) -> set[str]:
        statuses = {"400", "413", "431", "500", "503"}  # A request of any method can have a body.
        if not self._is_public:
            statuses |= {"401"} if getattr(self.view, "debtors_own", False) else {"401", "403"}
        if self._reads_json:
            statuses |= {"422"}
        if self.method in _WRITING and self._reads_json:
            statuses |= {"415"}
        if self._reads_json and not self._is_public and self.method in (*_WRITING, "DELETE"):
            statuses |= {"409"}
        if "{" in self.path:
            statuses |= {"404"}
        more: dict[str, tuple[int, ...]] = getattr(self.view, "refusals", {})
        return statuses | {str(status) for status in more.get(self._action, ())}

    def _register(self, name: str, schema: dict[str, Any], kind: str = ResolvedComponent.SCHEMA) -> None:
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)

    # --- Serializers

    def resolve_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        within = getattr(serializer, "root", None)
        if direction == "request" and within is not serializer and getattr(within, "partial", False):
            serializer = copy.copy(serializer)
            serializer.partial = True  # Objects within a partial update are partial as well.
        return super().resolve_serializer(serializer, direction, bypass_extensions)

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        kind = serializer if isinstance(serializer, type) else type(serializer)
        if not kind.__dict__.get("__doc__"):
            schema.pop("description", None)
        if direction == "response" and issubclass(kind, CamelSerializer):
            schema["additionalProperties"] = False
            if not serializer.may_lack_fields:
                schema["required"] = list(schema["properties"])
        if direction == "request" and issubclass(kind, CamelSerializer):
            for keyword, names in (("anyOf", kind.needs_any), ("oneOf", kind.needs_one)):
                if names:
                    schema[keyword] = [_gives(camel(name)) for name in names]
        return schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        if direction == "request" and field.read_only:
            return None
        parent = getattr(field, "parent", None)
        never_null = getattr(parent, "never_null", ()) or ()
        defaults = getattr(parent, "null_means", {})
        described = describe(field, direction, never_null=field.source in never_null or field.source in defaults)
        if described is None:
            return super()._map_serializer_field(field, direction, bypass_extensions)
        return described | ({"readOnly": True} if field.read_only and "$ref" not in described else {})

    def _insert_field_validators(self, field: Any, schema: Any) -> None:
        if describe(field, "request", never_null=False) is None:
            super()._insert_field_validators(field, schema)

    # --- Parameters

    def _get_parameters(self) -> Any:
        parameters = super()._get_parameters()
        for parameter in parameters:
            if parameter["in"] == "path" and parameter["name"] == "id":
                parameter["schema"] = {"type": "string", "format": "uuid"}
                parameter.pop("description", None)
        named = {parameter["name"] for parameter in parameters}
        found = [*self._page_parameters(), *self._filter_parameters()]
        return [*parameters, *(parameter for parameter in found if parameter["name"] not in named)]

    def _page_parameters(self) -> list[dict[str, Any]]:
        if not self._is_paged:
            return []
        default = 100 if self._action in ("payments", "debts") else DEFAULT_LIMIT
        return [
            _parameter("page", _count(most=LARGEST_PAGE, default=1)),
            _parameter("limit", _count(most=MAX_LIMIT, default=default)),
        ]

    def _filter_parameters(self) -> list[dict[str, Any]]:
        filterset = getattr(self.view, "filterset_class", None)
        if filterset is None or self._action != "list":
            return []
        return [_parameter(name, _of_filter(found)) for name, found in filterset.base_filters.items()]


def _count(*, most: int, default: int) -> dict[str, Any]:
    return {"anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, EMPTY], "default": default}


def _of_filter(found: Any) -> dict[str, Any]:
    """Describe a query parameter, which may be empty."""
    choices = [str(value) for value, _ in found.extra.get("choices", ())]
    if choices:
        return {"type": "string", "enum": [*choices, ""]}
    if validator := getattr(found, "validator", None):
        pattern = validator.regex.pattern.removeprefix(r"\A").removesuffix(r"\Z")
        return {"type": "string", "pattern": f"^({pattern})?$"}
    return getattr(found, "described", {"type": "string", "pattern": r"^[^\x00]*$"})


def _gives(name: str) -> dict[str, Any]:
    """Describe a body that gives a field a text which is not blank."""
    return {"type": "object", "required": [name], "properties": {name: {"type": "string", "pattern": r"\S"}}}


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema, "allowEmptyValue": True}


def _page_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["data", "meta"],
        "properties": {
            "data": {"type": "array", "items": schema.get("items", schema), "maxItems": MAX_LIMIT},
            "meta": {"$ref": "#/components/schemas/PageMeta"},
        },
        "additionalProperties": False,
    }


class StaffScheme(OpenApiAuthenticationExtension):
    target_class = "agents.authentication.StaffAuthentication"
    name = "staff"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of POST /auth/token, or an API token."}


class DebtorScheme(OpenApiAuthenticationExtension):
    target_class = "portal.authentication.DebtorAuthentication"
    name = "debtor"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of POST /debtors/auth/verify-otp."}
