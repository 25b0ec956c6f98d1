"""API endpoints for sign-in, sign-out and the current account."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from agents import sign_in_limits, tokens
from agents.authentication import sign_in
from agents.serializers import (
    CredentialsSerializer,
    MeSerializer,
    PairSerializer,
    RefreshSerializer,
    SignedOutSerializer,
)
from agents.sign_in_limits import Kind
from ddc.common.api.serializers import write
from ddc.common.api.views import Annotated, AnonymousView, View
from ddc.common.callers import client_ip


class TokenView(AnonymousView):
    """Sign in with a user name and a password, and a code where the account has a second factor."""

    serializer_class = PairSerializer
    refusals = {"create": (401, 429)}
    refusal_components = {401: "SignInRefused401"}

    @extend_schema(operation_id="signIn", request=CredentialsSerializer, responses={200: PairSerializer})
    def create(self, request: Request) -> Response:
        agent = sign_in(request, **self.read(CredentialsSerializer))
        return Response(write(PairSerializer, tokens.issue(agent, now=timezone.now())))


class RefreshView(AnonymousView):
    """Exchange a refresh token for a new pair, once."""

    serializer_class = PairSerializer
    refusals = {"create": (401, 429)}

    @extend_schema(operation_id="refreshToken", request=RefreshSerializer, responses={200: PairSerializer})
    def create(self, request: Request) -> Response:
        now, refresh = timezone.now(), self.read(RefreshSerializer)["refresh"]
        attempt = sign_in_limits.begin(
            Kind.REFRESH, sign_in_limits.REFRESHES_PER_ADDRESS, client_ip=client_ip(request), now=now
        )
        pair = tokens.rotate(refresh, now=now)
        attempt.delete()
        return Response(write(PairSerializer, pair))


class SignOutView(View):
    """Revoke the tokens of one sign-in.

    The refresh token in the body is sufficient proof, so a client with an expired access token can still sign out.
    """

    permission_classes = (AllowAny,)
    serializer_class = SignedOutSerializer
    refusals = {"create": (401,)}

    @extend_schema(operation_id="signOut", request=RefreshSerializer, responses={200: SignedOutSerializer})
    def create(self, request: Request) -> Response:
        if not request.user and not self._has_refresh_token(request):
            raise NotAuthenticated
        tokens.revoke(self.read(RefreshSerializer)["refresh"], now=timezone.now())
        return Response({"message": "Signed out."})

    def _has_refresh_token(self, request: Request) -> bool:
        try:
            return isinstance(request.data, dict) and bool(request.data.get("refresh"))
        except APIException:
            return False


class MeView(View):
    """The current account."""

    serializer_class = MeSerializer

    @extend_schema(operation_id="me", responses=MeSerializer)
    def retrieve(self, request: Request) -> Response:
        agent = self.agent
        roles = sorted(group.name for group in agent.groups.all())
        me = Annotated(agent, roles=roles, permissions=sorted(agent.get_all_permissions()))
        return Response(write(MeSerializer, me))
