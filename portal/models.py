"""Sign-ins by one-time code, signed links, revoked tokens, and digital activities."""

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from collection.models import Debt
from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field
from ddc.common.observing.tracing import request_id_field
from debtors.channels import AddressKind
from debtors.models import Debtor


class Questioned(UUIDModel):
    """A proof of an address, after which the second question is asked (``portal.questions``)."""

    wrong_answers = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    answered_right_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class OtpSession(Questioned):
    """A request for a one-time code. The code is derived from the id and never stored.

    A row looks the same for known and unknown addresses; a worker then finds the debtor and sends the code.
    """

    address = models.CharField(
        max_length=254,
        help_text="The normal form of a phone or an e-mail address.",
    )
    client_ip = models.GenericIPAddressField(null=True, blank=True, help_text="Of IPv6 the first 64 bits.")
    debtor = models.ForeignKey(
        Debtor, on_delete=models.CASCADE, null=True, blank=True, related_name="otp_sessions", editable=False
    )
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When a worker processed it.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Without the attempt token.")
    tries_with_token = models.PositiveSmallIntegerField(default=0, db_default=0)
    used_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True, help_text="When a newer code replaced this one.")
    request_id = request_id_field()

    class Meta:
        db_table = "otp_session"
        verbose_name = "sign-in request"
        ordering = newest_first()
        indexes = [
            models.Index(fields=["address", "-created_at"], name="otp_address_newest"),
            models.Index(fields=["client_ip", "-created_at"], name="otp_client_ip_newest"),
            models.Index(fields=["created_at"], name="otp_unanswered", condition=Q(answered_at__isnull=True)),
            models.Index(fields=["-answered_at"], name="otp_sent_newest", condition=Q(debtor__isnull=False)),
        ]


class SignedLink(Questioned):
    """A link in a message to one debtor, for one purpose. The token in its address is stored as a hash only."""

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="signed_links")
    purpose = models.CharField(max_length=30)
    subject = models.UUIDField(null=True, blank=True, help_text="The id of the debt or arrangement that it is about.")
    token_hash = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the token.")
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When wrong answers ended it.")

    class Meta:
        db_table = "signed_link"
        ordering = newest_first()


class RevokedDebtorToken(models.Model):
    """A debtor's token that was ended before it expired."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True, help_text="The row is deleted after this time.")

    class Meta:
        db_table = "revoked_debtor_token"


class DigitalActivity(UUIDModel):
    """Something that a debtor did online, such as opening a mail."""

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="digital_activities", db_index=False)
    debt = models.ForeignKey(Debt, on_delete=models.CASCADE, null=True, blank=True, related_name="digital_activities")
    activity_type = models.CharField(max_length=50, help_text="Letters a to z and _, chosen by the client.")
    path = models.CharField(max_length=255, null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "digital_activity"
        ordering = newest_first()
        verbose_name_plural = "digital activities"
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="activity_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="activity_debtor_newest"),
        ]


class AddressChange(UUIDModel):
    """A debtor's wish for another phone or e-mail address, carried out once the code that went there is entered.

    The code is derived from the id and never stored.
    """

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="address_changes", db_index=False)
    kind = models.CharField(max_length=5, choices=AddressKind.choices)
    value = models.CharField("new address", max_length=254, help_text="As it was entered.")
    normal_value = models.CharField(max_length=254)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "address_change"
        ordering = newest_first()
        indexes = [
            models.Index(fields=["debtor", "-created_at"], name="address_change_newest"),
            models.Index(fields=["normal_value", "-created_at"], name="address_change_value_newest"),
            models.Index(fields=["-created_at"], name="address_change_all_newest"),
        ]


class Budget(UUIDModel):
    """A debtor's income and essential costs in a month, the rest, and the part of it that is offered."""

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="budgets", db_index=False)
    currency_code = models.CharField("currency", max_length=3)
    income = models.JSONField(help_text="Amounts by kind, as text.")
    essentials = models.JSONField(help_text="Amounts by kind, as text.")
    total_income = money_field()
    total_essentials = money_field()
    left_over = money_field(help_text="Negative: less comes in than goes out.")
    percent = models.DecimalField(
        "offered in percent", max_digits=5, decimal_places=2, help_text="Of what is left, by the arrangement policy."
    )
    offered = money_field(help_text="A month.")

    class Meta:
        db_table = "budget"
        ordering = newest_first()
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="budget_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="budget_debtor_newest"),
        ]

    def __str__(self) -> str:
        return f"Budget of {self.debtor}"


class PortalViewing(UUIDModel):
    """An agent looked at a debtor's portal as the debtor sees it."""

    agent = agent_field(editable=False)
    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="portal_viewings", db_index=False)
    page = models.CharField(max_length=20)

    class Meta:
        db_table = "portal_viewing"
        ordering = newest_first()
        verbose_name = "viewing of the portal"
        verbose_name_plural = "viewings of the portal"
        permissions = [("see_as_debtor", "Can see what a debtor sees in the portal")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="portal_viewing_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="portal_viewing_of_debtor"),
        ]

    def __str__(self) -> str:
        return f"{self.agent}, {self.page}"
