"""Serializers of templates, messages and placeholders."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collection.models import Debt
from communications.models import CommunicationLog, MessageStatus
from communications.texts import sms, templates
from contact import explain
from contact.engine.decision import ReasonCode, Verdict
from contact.engine.policies import Confidence, Policy
from contact.models import ContactDecision
from contact.preview import Preview
from ddc.common.api.fields import (
    BooleanField,
    ChoiceField,
    DateField,
    IntegerField,
    LanguageField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.rendering import camel
from ddc.common.api.serializers import CamelSerializer, write
from debtors.channels import Channel
from debtors.models import Consent, Debtor

_DEFAULTS = {
    "language": "en",
    "is_active": True,
    "is_validation_notice": False,
    "overshadows": False,
    "asks_for_payment": False,
}


class CommunicationTemplateSerializer(CamelSerializer):
    decisive = ("language", "is_active", "is_validation_notice", "overshadows", "asks_for_payment")
    never_null = tuple(_DEFAULTS)

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=100)
    description = TextField(max_length=255, required=False, allow_null=True)
    communication_type = ChoiceField(choices=Channel.choices)
    language = LanguageField(required=False, allow_null=True)
    subject = TextField(max_length=255, required=False, allow_null=True, help_text="Required for e-mail.")
    body = TextField(max_length=templates.MAX_BODY)
    is_active = BooleanField(required=False, allow_null=True)
    is_validation_notice = BooleanField(required=False, allow_null=True, help_text="Carries the validation notice.")
    overshadows = BooleanField(
        required=False, allow_null=True, help_text="Presses for payment: not sent during the validation period."
    )
    asks_for_payment = BooleanField(
        required=False, allow_null=True, help_text="Not sent while a hold blocks payment requests."
    )
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace null by the default."""
        for name, default in _DEFAULTS.items():
            if name in attrs and attrs[name] is None:
                attrs[name] = default
        return attrs


class CommunicationLogSerializer(CamelSerializer):
    """A message without its text, as lists show it."""

    id = serializers.UUIDField(read_only=True)
    debtor_id = ReferenceField(read_only=True, source="debtor", allow_null=True)
    debt_id = ReferenceField(read_only=True, source="debt", allow_null=True)
    debt_ids = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    template_id = ReferenceField(read_only=True, source="template", allow_null=True)
    communication_type = ChoiceField(choices=Channel.choices, read_only=True)
    direction = ChoiceField(choices=CommunicationLog.Direction.choices, read_only=True)
    status = ChoiceField(choices=MessageStatus.choices, read_only=True)
    subject = TextField(read_only=True, allow_null=True)
    timestamp = TimeField(read_only=True, source="created_at", help_text="When it was queued or received.")
    sent_at = TimeField(read_only=True, allow_null=True)
    delivered_at = TimeField(read_only=True, allow_null=True)
    opened_at = TimeField(read_only=True, allow_null=True)
    open_count = IntegerField(read_only=True)
    expires_at = TimeField(read_only=True, allow_null=True, help_text="After this time it is not sent.")
    failure_reason = TextField(read_only=True, allow_null=True)


#: The empty one is that of rules without a section of law.
_CONFIDENCES = ["", *(confidence.value for confidence in Confidence)]


class ReasonSerializer(CamelSerializer):
    """One rule that forbids a contact."""

    code = ChoiceField(choices=[code.value for code in ReasonCode], read_only=True)
    message = TextField(read_only=True, source="text")
    section = TextField(read_only=True, help_text="Section of the law; empty for other rules.")
    policy = TextField(read_only=True, help_text="Jurisdiction and rule; empty if the reason is not a policy.")
    version = IntegerField(read_only=True, allow_null=True, help_text="Of the policy.")
    until = TimeField(read_only=True, allow_null=True, help_text="When this reason ends, if that is known.")
    confidence = ChoiceField(
        choices=_CONFIDENCES, read_only=True, help_text="How its section was read; empty without one."
    )


class ContactDecisionSerializer(CamelSerializer):
    """A decision of the contact gate on a message."""

    at = TimeField(read_only=True)
    stage = ChoiceField(choices=ContactDecision.Stage.values, read_only=True)
    verdict = ChoiceField(choices=[verdict.value for verdict in Verdict], read_only=True)
    until = TimeField(read_only=True, allow_null=True, help_text="When a postponed message is tried again.")
    reasons = ReasonSerializer(many=True, read_only=True)
    policies = serializers.ListField(
        child=TextField(), read_only=True, help_text="Versions of the policies that were applied."
    )


class CommunicationLogDetailSerializer(CommunicationLogSerializer):
    body = TextField(read_only=True, allow_null=True, help_text="The sent text; a one-time code in it is masked.")
    contact_decisions = ContactDecisionSerializer(many=True, read_only=True, help_text="The newest 20, newest first.")


class PlaceholderSerializer(CamelSerializer):
    name = TextField(read_only=True)
    description = TextField(read_only=True)
    example = TextField(read_only=True)


class PlaceholdersSerializer(CamelSerializer):
    data = PlaceholderSerializer(many=True, read_only=True)  # type: ignore[assignment]


class ProcessSerializer(CamelSerializer):
    """The templates to render or send. Names are snake_case; camelCase is accepted too."""

    decisive = ("template_name", "communication_type", "debtor_id", "debt_id", "send")

    template_name = TextField(required=False, allow_null=True)
    communication_type = ChoiceField(choices=Channel.choices, required=False, allow_null=True)
    debtor_id = ReferenceField(Debtor.objects.all(), required=False, allow_null=True, source="debtor")
    debt_id = ReferenceField(Debt.objects.select_related("debtor"), required=False, allow_null=True, source="debt")
    send = BooleanField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return serializers.Serializer.get_fields(self)

    def to_internal_value(self, data: Any) -> Any:
        """Accept both spellings, and name an invalid field as the client did."""
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        names: list[str] = list(map(str, self.fields))
        spelled = {name: camel(name) if camel(name) in data and name not in data else name for name in names}
        try:
            known = super().to_internal_value({name: data[sent] for name, sent in spelled.items() if sent in data})
            self._check(known)
        except serializers.ValidationError as error:
            details = error.detail if isinstance(error.detail, dict) else {}
            raise serializers.ValidationError(
                {spelled.get(name, name): detail for name, detail in details.items()} or error.detail
            ) from error
        return known

    def _check(self, known: dict[str, Any]) -> None:
        debtor, debt = known.get("debtor"), known.get("debt")
        if known.get("send"):
            missing = [name for name, value in (("debtor_id", debtor), ("debt_id", debt)) if value is None]
            if missing:
                error = serializers.ErrorDetail("This field is required to send.", "required")
                raise serializers.ValidationError({name: [error] for name in missing})
        if debtor and debt and debt.debtor_id != debtor.pk:
            error = serializers.ErrorDetail("This debt belongs to another debtor.", "database.exists")
            raise serializers.ValidationError({"debt_id": [error]})


class ProcessedSerializer(CamelSerializer):
    template_id = serializers.UUIDField(read_only=True)
    template_name = TextField(read_only=True)
    communication_type = ChoiceField(choices=Channel.choices, read_only=True)
    subject = TextField(read_only=True, allow_null=True)
    body = TextField(read_only=True)
    status = ChoiceField(choices=["rendered", "queued", "postponed", "blocked", "failed"], read_only=True)
    communication_log_id = serializers.UUIDField(read_only=True, allow_null=True)
    reason = TextField(
        read_only=True, allow_null=True, help_text="Why it was not queued, or the values that a rendered text lacks."
    )
    alphabet = serializers.ChoiceField(
        choices=[sms.GSM_7, sms.UCS_2],
        read_only=True,
        allow_null=True,
        help_text="Of a text message: 160 or 70 characters in one part.",
    )
    segments = IntegerField(
        read_only=True,
        allow_null=True,
        help_text="Parts in which networks charge a text message, with the lines that the law demands.",
    )


class ProcessAnswerSerializer(CamelSerializer):
    processed = IntegerField(read_only=True)
    results = ProcessedSerializer(many=True, read_only=True)


class ConsentSerializer(CamelSerializer):
    """The consent that counts for a channel."""

    given_at = TimeField(read_only=True, source="consented_at")
    confirmed_at = TimeField(
        read_only=True, source="consent_confirmed_at", help_text="When it was last given, used or checked."
    )
    basis = ChoiceField(choices=Consent.Basis.values, read_only=True, source="consent_basis")


class AppliedRuleSerializer(CamelSerializer):
    """A version of a policy that was applied."""

    policy = TextField(read_only=True, source="versioned_name")
    section = TextField(read_only=True)
    confidence = ChoiceField(
        choices=_CONFIDENCES, read_only=True, help_text="How the section was read; empty if it is no law."
    )
    demands = serializers.SerializerMethodField(help_text="In words.")

    def get_demands(self, policy: Policy) -> str:
        return "; ".join(explain.demands(policy))


class ChannelPreviewSerializer(CamelSerializer):
    """The contact gate's answer for one channel now."""

    communication_type = ChoiceField(choices=Channel.choices, read_only=True, source="channel")
    address = TextField(read_only=True, help_text="Empty where there is none.")
    verdict = ChoiceField(choices=[verdict.value for verdict in Verdict], read_only=True, source="decision.verdict")
    next_at = TimeField(
        read_only=True,
        allow_null=True,
        help_text="When the next contact is allowed; null if never, unless the facts change.",
    )
    reasons = ReasonSerializer(many=True, read_only=True, source="decision.reasons")
    policies = serializers.ListField(
        child=TextField(),
        read_only=True,
        source="decision.policies",
        help_text="Versions of the policies that were applied.",
    )
    confidence = ChoiceField(
        choices=_CONFIDENCES,
        read_only=True,
        help_text="That of the least sure reason; if contact is allowed, of the least sure policy.",
    )
    consent = serializers.SerializerMethodField(
        help_text="That of this debtor to this channel at this address; null if none."
    )
    assumptions = serializers.SerializerMethodField(help_text="About consent, number and debt, in words.")

    @extend_schema_field(ConsentSerializer(allow_null=True))
    def get_consent(self, preview: Preview) -> dict[str, Any] | None:
        return write(ConsentSerializer, preview.facts) if preview.facts.consented_at else None

    def get_assumptions(self, preview: Preview) -> list[str]:
        return list(explain.channel_assumptions(preview.facts))


class DebtPreviewSerializer(CamelSerializer):
    """The same for a message about one debt."""

    debt_id = serializers.UUIDField(read_only=True)
    limitation_ends_on = DateField(
        read_only=True, allow_null=True, help_text="Last day on which a court enforces the debt; null if not known."
    )
    is_time_barred = BooleanField(read_only=True, help_text="Whether that day has passed.")
    limitation_section = TextField(read_only=True, help_text="Section of the law; empty if the period is not known.")
    channels = ChannelPreviewSerializer(many=True, read_only=True)


class ContactPreviewSerializer(CamelSerializer):
    """The contact gate's answers now, by channel: about no debt in particular, and about each of the newest open debts."""

    debtor_id = serializers.UUIDField(read_only=True)
    at = TimeField(read_only=True)
    time_zones = serializers.ListField(child=TextField(), read_only=True, help_text="Where the debtor may be.")
    assumptions = serializers.ListField(child=TextField(), read_only=True, help_text="About place and clock, in words.")
    rules = AppliedRuleSerializer(many=True, read_only=True, help_text="The policies that the channels name.")
    channels = ChannelPreviewSerializer(many=True, read_only=True)
    debts = DebtPreviewSerializer(many=True, read_only=True)
