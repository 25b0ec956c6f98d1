"""How endpoints describe themselves in OpenAPI: what drf-spectacular can't see in our views and fields."""

import copy
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import AllowAny

from ddc.common.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from ddc.common.api.problems import PROBLEM_JSON
from ddc.common.api.schema_components import COMPONENTS

_AMOUNT = r"^-?[0-9]+(\.[0-9]+)?$"
_WRITING = ("POST", "PUT", "PATCH")


class Schema(AutoSchema):
    """drf-spectacular's own, with pages as we cut them, the errors that we answer, and PUT as the partial update it is."""

    def get_request_serializer(self) -> Any:
        if self.method not in _WRITING:
            return None
        return getattr(self.view, "input_serializer", None) or super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        detail = getattr(self.view, "detail_serializer", None)
        if detail and self._action == "retrieve":
            return detail
        return super().get_response_serializers()

    def get_tags(self) -> list[str]:
        return [str(self.path.strip("/").split("/")[0]) or "home"]

    def get_operation_id(self) -> str:
        words = [part.strip("{}") for part in self.path.strip("/").replace(".", "/").split("/")]
        return "_".join([self.method.lower(), *(word.replace("-", "_") for word in words)])

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    @property
    def _action(self) -> str:
        return str(getattr(self.view, "action", ""))

    @property
    def _is_paged(self) -> bool:
        return self._action in getattr(self.view, "paged_actions", ())

    def _get_request_for_media_type(self, serializer: Any, direction: str = "request") -> Any:
        if self.method == "PUT" and hasattr(serializer, "_declared_fields"):
            serializer = serializer(partial=True) if isinstance(serializer, type) else copy.copy(serializer)
            serializer.partial = True
        return super()._get_request_for_media_type(serializer, direction)

    def _get_response_for_code(
        self, serializer: Any, status_code: Any, media_types: Any = None, direction: str = "response"
    ) -> Any:
        response = super()._get_response_for_code(serializer, status_code, media_types, direction)
        if self._is_paged and str(status_code) == "200":
            for content in response["content"].values():
                content["schema"] = _page_of(content["schema"])
        return response

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for name, schema in COMPONENTS.items():
            self._register(name, schema)
        public = any(isinstance(permission, AllowAny) for permission in self.view.get_permissions())
        statuses = {"400", "500", "503"} if public else {"400", "401", "403", "500", "503"}
        if self.method in _WRITING:
            statuses |= {"409", "413", "415", "422", "429"}
        elif self.method == "DELETE":
            statuses |= {"409"}
        else:
            statuses |= {"422"}
        if "{" in self.path:
            statuses |= {"404"}
        for status in sorted(statuses - set(responses)):
            responses[status] = _problem()
        return responses

    def _register(self, name: str, schema: dict[str, Any]) -> None:
        from drf_spectacular.plumbing import ResolvedComponent

        component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name)
        self.registry.register_on_missing(component)

    def _get_parameters(self) -> Any:
        parameters = super()._get_parameters()
        named = {parameter["name"] for parameter in parameters}
        found = [*self._page_parameters(), *self._filter_parameters()]
        return [*parameters, *(parameter for parameter in found if parameter["name"] not in named)]

    def _page_parameters(self) -> list[dict[str, Any]]:
        if not self._is_paged:
            return []
        default = 100 if self._action in ("payments", "debts") else DEFAULT_LIMIT
        return [
            _parameter("page", {"type": "integer", "minimum": 1, "maximum": 10**9, "default": 1}),
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": default}),
        ]

    def _filter_parameters(self) -> list[dict[str, Any]]:
        filterset = getattr(self.view, "filterset_class", None)
        if filterset is None or self._action != "list":
            return []
        return [_parameter(name, _of_filter(found)) for name, found in filterset.base_filters.items()]


def _of_filter(found: Any) -> dict[str, Any]:
    choices = [str(value) for value, _ in found.extra.get("choices", ())]
    if choices:
        return {"type": "string", "enum": choices}
    if type(found).__name__ == "IdFilter":
        return {"type": "string", "format": "uuid"}
    return {"type": "string"}


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema}


def _page_of(schema: dict[str, Any]) -> dict[str, Any]:
    items = schema.get("items", schema)
    return {
        "type": "object",
        "required": ["data", "meta"],
        "properties": {
            "data": {"type": "array", "items": items},
            "meta": {"$ref": "#/components/schemas/PageMeta"},
        },
        "additionalProperties": False,
    }


def _problem() -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": "", "content": {PROBLEM_JSON: schema, "application/json": schema}}


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


def _number_or_text(direction: str) -> dict[str, Any]:
    text = {"type": "string", "pattern": _AMOUNT}
    return {"oneOf": [{"type": "number"}, text]} if direction == "request" else text


class MoneyFieldSchema(OpenApiSerializerFieldExtension):
    target_class = "ddc.common.api.fields.MoneyField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return _number_or_text(direction)


class DecimalFieldSchema(OpenApiSerializerFieldExtension):
    target_class = "ddc.common.api.fields.DecimalField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return _number_or_text(direction)
