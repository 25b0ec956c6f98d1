"""The base of API views: validate the input, call one domain function, answer."""

import urllib.parse
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from ddc.common.api import misspelled
from ddc.common.api.pagination import DEFAULT_LIMIT, page_of
from ddc.common.api.parser import has_surrogate, is_storable
from ddc.common.api.serializers import CamelSerializer, reader, write, write_all, writer

_UNSTORABLE = exceptions.ErrorDetail("This has characters that cannot be stored.", "regex")
IGNORED_SHOWN = 20
#: Proxies reject headers of many kilobytes.
IGNORED_LENGTH = 100
#: The number of related rows of each kind in the answer about one row.
NEWEST = 200


def _misspelled(meant: str) -> exceptions.ErrorDetail:
    return exceptions.ErrorDetail(f"Unknown field. Did you mean {meant}?", "unknown")


class Annotated:
    """An object with additional attributes for an answer."""

    def __init__(self, row: Any, **more: Any) -> None:
        self.__dict__.update(more)
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


class View(ViewSetMixin, APIView):
    """A view that reads bodies by ``read``, and refuses parameters that PostgreSQL cannot store."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        query = request.META.get("QUERY_STRING", "")
        for pair in query.split("&") if has_surrogate(query) else ():
            if has_surrogate(pair):
                name = urllib.parse.unquote_plus(pair.partition("=")[0])
                raise exceptions.ValidationError({name: [_UNSTORABLE]})
        for name, value in request.GET.items():
            if not is_storable(name) or not is_storable(str(value)):
                raise exceptions.ValidationError({name.replace("\x00", ""): [_UNSTORABLE]})

    def read(
        self, serializer: type[CamelSerializer], *, partial: bool = False, optional: bool = False, **context: Any
    ) -> dict[str, Any]:
        """Validate the body, and remember its unknown names for the answer.

        :raises ValidationError: if a field is invalid, or a name misspells a decisive one
        :raises ParseError: if the body is empty but has a required field
        """
        body = self.request.data
        if not self.request.META.get("CONTENT_LENGTH", "").strip("0"):
            if not (optional or partial):
                raise exceptions.ParseError("The body is empty; it must be a JSON object.")
            body = {}
        if body is None:
            raise exceptions.ValidationError([exceptions.ErrorDetail("This must be an object.", "object")])
        reads = serializer(partial=partial, context=context) if context else reader(serializer, partial)
        validated: dict[str, Any] = reads.run_validation(body)
        unread = [name for name in body if name not in reads.fields]
        known = self.known_names() if unread else set()
        self.ignored = [name for name in unread if name not in known]
        if wrong := dict(misspelled.find(serializer, self.ignored, set(body).difference(self.ignored))):
            raise exceptions.ValidationError({name: [_misspelled(meant)] for name, meant in wrong.items()})
        return validated

    @property
    def agent(self) -> Any:
        """The signed-in agent."""
        return self.request.user

    def known_names(self) -> set[str]:
        """Return the names of the answer, which a client may send back without a warning."""
        answers: Iterable[Any] = (getattr(self, "serializer_class", None), getattr(self, "detail_serializer", None))
        return {str(name) for answer in answers if answer for name in writer(answer).fields}

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if ignored := getattr(self, "ignored", None):
            shown = (name.encode("ascii", "backslashreplace").decode() for name in ignored[:IGNORED_SHOWN])
            printable = ("".join(c for c in name if c.isprintable())[:IGNORED_LENGTH] for name in shown)
            response["X-Ignored-Fields"] = ", ".join(printable)
        return response


class AnonymousView(View):
    """A view that needs no sign-in."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class ResourceView(View):
    """The five actions of a resource. A subclass implements what they call."""

    queryset: ClassVar[QuerySet[Any]]
    serializer_class: ClassVar[type[CamelSerializer]]
    #: The serializer of one row, if it shows more than a row of the list.
    detail_serializer: ClassVar[type[CamelSerializer] | None] = None
    #: The serializer of bodies, if it differs from that of answers.
    input_serializer: ClassVar[type[CamelSerializer] | None] = None
    filterset_class: ClassVar[Any] = None
    default_limit: ClassVar[int] = DEFAULT_LIMIT
    #: The actions that answer a page of rows.
    paged_actions: ClassVar[tuple[str, ...]] = ("list",)

    def get_queryset(self) -> QuerySet[Any]:
        return self.queryset.all()

    def get_object(self, pk: uuid.UUID) -> Any:
        return get_object_or_404(self.get_queryset(), pk=pk)

    def filtered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filter a list by its query parameters.

        :raises ValidationError: if a value is invalid
        """
        if self.filterset_class is None:
            return queryset
        filters = self.filterset_class(self.request.query_params, queryset=queryset, request=self.request)
        if not filters.is_valid():
            raise exceptions.ValidationError(
                {
                    name: [exceptions.ErrorDetail(e.messages[0], e.code or "invalid") for e in errors.as_data()]
                    for name, errors in filters.errors.items()
                }
            )
        found: QuerySet[Any] = filters.qs
        return found

    def paged(
        self, queryset: QuerySet[Any], serializer: type[CamelSerializer] | None = None, **kwargs: Any
    ) -> Response:
        page = page_of(queryset, self.request, **{"default_limit": self.default_limit, **kwargs})
        return Response({"data": write_all(serializer or self.serializer_class, page.rows), "meta": page.meta})

    def answer(self, instance: Any, status: int = 200) -> Response:
        return Response(write(self.detail_serializer or self.serializer_class, instance), status)

    def list(self, request: Request) -> Response:
        return self.paged(self.filtered(self.get_queryset()))

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        return self.answer(self.get_object(pk))

    def create(self, request: Request) -> Response:
        created = self.perform_create(self.read(self.input_serializer or self.serializer_class))
        return Response(write(self.serializer_class, self.get_queryset().get(pk=created.pk)), 201)

    def update(self, request: Request, pk: uuid.UUID) -> Response:
        instance = self.get_object(pk)
        self.perform_update(instance, self.read(self.input_serializer or self.serializer_class, partial=True))
        return Response(write(self.serializer_class, self.get_queryset().get(pk=pk)))

    def destroy(self, request: Request, pk: uuid.UUID) -> Response:
        self.perform_destroy(self.get_object(pk))
        return Response(status=204)

    def perform_create(self, data: dict[str, Any]) -> Any:
        raise NotImplementedError

    def perform_update(self, instance: Any, data: dict[str, Any]) -> None:
        raise NotImplementedError

    def perform_destroy(self, instance: Any) -> None:
        raise NotImplementedError
