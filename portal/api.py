"""API of the debtors' sign-in and portal, and of their activities for staff."""

import uuid
from typing import Any, ClassVar, cast

from django.conf import settings
from django.core.validators import RegexValidator
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.serializers import SignedOutSerializer
from collection import deferrals, disputes
from collection.balances import totals
from collection.models import Debt, DebtStatus, DeferralRequest, Dispute
from ddc.common import callers
from ddc.common.api.filters import FilterSet, IdFilter, PatternFilter
from ddc.common.api.serializers import write
from ddc.common.api.views import AnonymousView, ResourceView, View
from ddc.common.days import agency_today
from debtors import phones
from debtors.models import Debtor
from debtors.serializers import DebtorSerializer
from portal import activities, attempt_tokens, otp, questions, tokens
from portal.authentication import Caller, DebtorAuthentication, DebtorPermission
from portal.models import DigitalActivity
from portal.serializers import (
    ActivitySerializer,
    AnswerSerializer,
    DigitalActivitySerializer,
    MyDebtsSerializer,
    MyDeferralRequestSerializer,
    MyDeferralRequestsSerializer,
    MyDisputeSerializer,
    MyDisputesSerializer,
    OtpRequestedSerializer,
    OtpRequestSerializer,
    OtpVerificationSerializer,
    QuestionSerializer,
    SignedInSerializer,
)

#: More rows than any debtor has; it limits the size of the answer.
NEWEST = 1_000
CODE_SENT = "If we know this number, a code is on its way to it."
CODE_MAILED = "If we know this e-mail address, a code is on its way to it."


class OtpRequestView(AnonymousView):
    """Request a one-time code by SMS, or by e-mail."""

    serializer_class = OtpRequestedSerializer
    refusals = {"create": (429,)}

    @extend_schema(operation_id="requestOtp", request=OtpRequestSerializer, responses={200: OtpRequestedSerializer})
    def create(self, request: Request) -> Response:
        address = _address(self.read(OtpRequestSerializer))
        session = otp.request(address, client_ip=callers.client_ip(request), now=timezone.now())
        return Response(
            {
                "message": CODE_MAILED if "@" in address else CODE_SENT,
                "expiresInSeconds": settings.OTP_LIFETIME_SECONDS,
                "attemptToken": attempt_tokens.issue(session.pk),
            }
        )


class OtpVerificationView(AnonymousView):
    """Sign in with a one-time code.

    With SECOND_QUESTION=api the answer is a question to the debtors who can answer one: ``token`` is then null.
    """

    serializer_class = SignedInSerializer
    refusals = {"create": (401, 429)}

    @extend_schema(
        operation_id="verifyOtp",
        request=OtpVerificationSerializer,
        responses={
            200: PolymorphicProxySerializer("VerifiedCode", [SignedInSerializer, QuestionSerializer], None),
        },
    )
    def create(self, request: Request) -> Response:
        given = self.read(OtpVerificationSerializer)
        now = timezone.now()
        session = otp.verify(
            _address(given),
            given["otp_code"],
            attempt_token=given.get("attempt_token"),
            client_ip=callers.client_ip(request),
            now=now,
        )
        question = questions.question_for(session.debtor) if session.debtor else None
        if settings.SECOND_QUESTION == "api" and question:
            asked = {"token": None, "question": question.value, "question_token": questions.token_for(session)}
            return Response(write(QuestionSerializer, asked))
        return Response(write(SignedInSerializer, otp.sign_in(session, now=now)))


class AnswerView(AnonymousView):
    """Answer the second question of a sign-in (SECOND_QUESTION=api). Three wrong answers end it."""

    serializer_class = SignedInSerializer
    refusals = {"create": (401,)}

    @extend_schema(operation_id="answerQuestion", request=AnswerSerializer, responses={200: SignedInSerializer})
    def create(self, request: Request) -> Response:
        given, now = self.read(AnswerSerializer), timezone.now()
        proof = questions.answer(given["question_token"], given["answer"], now=now)
        return Response(write(SignedInSerializer, otp.sign_in(proof, now=now)))


def _address(given: dict[str, Any]) -> str:
    """Return the phone in E.164, or else the e-mail address.

    :raises InvalidPhone: if the phone is not valid, even if it looks like an e-mail address
    """
    return phones.as_typed(phone) if (phone := given.get("mobile_phone")) else str(given["email"])


class DebtorView(View):
    """The base of views for the signed-in debtor."""

    authentication_classes = (DebtorAuthentication,)
    permission_classes = (DebtorPermission,)
    debtors_own = True
    #: The activities that are recorded when an action has succeeded, by the action.
    steps: ClassVar[dict[str, str]] = {}

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        step = self.steps.get(getattr(self, "action", ""))
        if step and response.status_code < 300:
            activities.record_step(self.debtor, step, now=timezone.now())
        return response

    @property
    def caller(self) -> Caller:
        caller: Any = self.request.user
        return cast(Caller, caller)

    @property
    def debtor(self) -> Debtor:
        return self.caller.debtor


class DebtorSignOutView(DebtorView):
    """End the token of this request."""

    serializer_class = SignedOutSerializer

    @extend_schema(operation_id="debtorSignOut", request=None, responses={200: SignedOutSerializer})
    def create(self, request: Request) -> Response:
        tokens.revoke(self.caller.token)
        return Response({"message": "Signed out."})


class ProfileView(DebtorView):
    serializer_class = DebtorSerializer

    @extend_schema(operation_id="myProfile", responses=DebtorSerializer)
    def retrieve(self, request: Request) -> Response:
        return Response(write(DebtorSerializer, self.debtor))


class MyDebtsView(DebtorView):
    serializer_class = MyDebtsSerializer

    @extend_schema(operation_id="myDebts", responses=MyDebtsSerializer)
    def retrieve(self, request: Request) -> Response:
        mine = Debt.objects.filter(debtor=self.debtor).select_related("creditor", "segment")
        # The creditor has taken recalled debts back: their balance is no longer for this debtor to pay here.
        debts = mine.exclude(current_status=DebtStatus.RECALLED)[:NEWEST]
        sums = totals.of_debtor(self.debtor, today=agency_today(timezone.now()))
        return Response(write(MyDebtsSerializer, {"debts": debts, "totals": sums}))


class MyDeferralRequestsView(DebtorView):
    serializer_class = MyDeferralRequestSerializer
    steps = {"create": "more_time_asked", "withdraw": "more_time_withdrawn"}

    @extend_schema(operation_id="myDeferralRequests", responses=MyDeferralRequestsSerializer)
    def retrieve(self, request: Request) -> Response:
        requests = DeferralRequest.objects.filter(debtor=self.debtor)[:NEWEST]
        return Response(write(MyDeferralRequestsSerializer, {"deferral_requests": requests}))

    @extend_schema(
        operation_id="requestDeferral",
        request=MyDeferralRequestSerializer,
        responses={201: MyDeferralRequestSerializer},
    )
    def create(self, request: Request) -> Response:
        given = self.read(MyDeferralRequestSerializer, debtor=self.debtor)
        created = deferrals.request(
            given["debt"],
            debtor=self.debtor,
            days=given["requested_deferral_days"],
            reason=given["reason"],
            now=timezone.now(),
        )
        return Response(write(MyDeferralRequestSerializer, created), 201)

    @extend_schema(operation_id="withdrawDeferralRequest", request=None, responses={200: MyDeferralRequestSerializer})
    def withdraw(self, request: Request, pk: uuid.UUID) -> Response:
        asked = get_object_or_404(DeferralRequest, pk=pk, debtor=self.debtor)
        withdrawn = deferrals.withdraw(asked, debtor=self.debtor, now=timezone.now())
        return Response(write(MyDeferralRequestSerializer, withdrawn))


class MyDisputesView(DebtorView):
    serializer_class = MyDisputeSerializer
    steps = {"create": "dispute_sent"}

    @extend_schema(operation_id="myDisputes", responses=MyDisputesSerializer)
    def retrieve(self, request: Request) -> Response:
        found = Dispute.objects.filter(debt__debtor=self.debtor)[:NEWEST]
        return Response(write(MyDisputesSerializer, {"disputes": found}))

    @extend_schema(operation_id="disputeDebt", request=MyDisputeSerializer, responses={201: MyDisputeSerializer})
    def create(self, request: Request) -> Response:
        given = self.read(MyDisputeSerializer, debtor=self.debtor)
        created = disputes.receive(
            given["debt"],
            debtor=self.debtor,
            portion=given.get("portion"),
            reason=given["reason"],
            evidence=given.get("evidence"),
            channel=Dispute.Channel.PORTAL,
            by=None,
            now=timezone.now(),
        )
        return Response(write(MyDisputeSerializer, created), 201)


class MyActivitiesView(DebtorView):
    serializer_class = DigitalActivitySerializer
    refusals = {"create": (429,)}

    @extend_schema(
        operation_id="reportActivity", request=ActivitySerializer, responses={202: DigitalActivitySerializer}
    )
    def create(self, request: Request) -> Response:
        given = self.read(ActivitySerializer, debtor=self.debtor)
        activity = activities.record(self.debtor, **given, now=timezone.now())
        return Response(write(DigitalActivitySerializer, activity), 202)


class ActivityTypeFilter(PatternFilter):
    validator = RegexValidator(r"\A[a-z_]{1,50}\Z", "This must match [a-z_]{1,50}.", "regex")


class DigitalActivityFilters(FilterSet):
    debtor_id = IdFilter()
    debt_id = IdFilter()
    activity_type = ActivityTypeFilter()


class DigitalActivityView(ResourceView):
    """Digital activities of debtors, for staff."""

    queryset = DigitalActivity.objects.all()
    serializer_class = DigitalActivitySerializer
    filterset_class = DigitalActivityFilters
