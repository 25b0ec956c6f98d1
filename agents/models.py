"""Staff accounts, and the tokens of staff and their programs."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Lower, Upper

from agents import roles
from ddc.common import money
from ddc.common.errors import Forbidden
from ddc.common.models import UUIDModel, newest_first, uuid7


class Agent(AbstractUser):
    """A member of staff. Permissions come from roles: the groups Agent, Supervisor and Auditor."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_version = models.PositiveIntegerField(
        default=1,
        db_default=1,
        editable=False,
        help_text="Increased by a trigger to end all tokens of the account; tokens of an earlier version do not work.",
    )

    #: The permissions of the agent's roles, if authentication has loaded them: this saves two queries per request.
    granted: frozenset[str] | None = None

    class Meta:
        db_table = "USER"
        ordering = ["username"]
        constraints = [
            # A password link goes to an address, so an address belongs to one account.
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="USER_email_unique"),
        ]
        permissions = [("manage_staff", "Can create, change and deactivate staff accounts and end their access")]

    @property
    def name(self) -> str:
        return self.get_full_name() or self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        if self.granted is None or obj is not None or self.is_superuser:
            return super().has_perm(perm, obj)
        return self.is_active and perm in self.granted

    def check_password(self, raw_password: str | None) -> bool:
        """Compare a password. If its hash is out of date, store a new one; the tokens stay, since the password does."""

        def rehash(password: str) -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('ddc.same_password', 'on', true)")
                self.password = make_password(password)
                type(self).objects.filter(pk=self.pk).update(password=self.password)
                cursor.execute("SELECT set_config('ddc.same_password', '', true)")

        return check_password(raw_password, self.password, rehash)

    def __str__(self) -> str:
        return self.name


def require_permission(by: Agent | None, permission: str) -> None:
    """Check that the agent has the permission (``app.codename``); None is the system itself, which has all.

    :raises Forbidden: if the agent does not have it
    """
    if by is not None and not by.has_perm(permission):
        raise Forbidden


class TokenFamily(UUIDModel):
    """A sign-in with all access and refresh tokens that derive from it; they are revoked together."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="token_families")
    token_version = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="The agent's, at sign-in."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "token_family"
        verbose_name_plural = "token families"

    def state(self, now: datetime) -> str:
        """Return whether its tokens still work, in words."""
        return _state(self, now, self.created_at + timedelta(seconds=settings.TOKEN_FAMILY_SECONDS))


class SpentRefreshToken(models.Model):
    """A used refresh token. Its primary key lets only the first of simultaneous uses succeed."""

    jti = models.UUIDField(primary_key=True)
    family = models.ForeignKey(TokenFamily, on_delete=models.CASCADE, related_name="+")
    spent_at = models.DateTimeField()

    class Meta:
        db_table = "spent_refresh_token"


class ApiToken(UUIDModel):
    """A long-lived, revocable token for a program. Only its SHA-256 digest is stored."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="api_tokens")
    token_version = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="The agent's, when the token was created."
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it does not expire.")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.agent.username}, {self.created_at:%Y-%m-%d}"

    def state(self, now: datetime) -> str:
        """Return whether it still works, in words."""
        return _state(self, now, self.expires_at)


def _state(token: TokenFamily | ApiToken, now: datetime, ends: datetime | None) -> str:
    if token.revoked_at:
        return "revoked"
    if token.token_version != token.agent.token_version:
        return "ended with the password or the account"
    return "expired" if ends and ends <= now else "valid"


class SignInAttempt(UUIDModel):
    """An attempt to sign in, counted by ``agents.sign_in_limits``."""

    class Kind(models.TextChoices):
        """The kinds of proof that an attempt offered."""

        PASSWORD = "password"  # noqa: S105
        REFRESH = "refresh", "refresh token"
        CODE = "code", "one-time code"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField("digest of the user name", max_length=64, blank=True, help_text="SHA-256")
    client_ip = models.GenericIPAddressField(
        "address", help_text="Of IPv6 the first 64 bits. 0.0.0.0 if it is not known."
    )
    succeeded = models.BooleanField(default=False)

    class Meta:
        db_table = "sign_in_attempt"
        ordering = newest_first()
        indexes = [
            models.Index(fields=["client_ip", "kind", "-created_at"], name="sign_in_attempt_of_address"),
            models.Index(fields=["name", "-created_at"], name="sign_in_attempt_of_name", condition=~Q(name="")),
        ]


class StaffSession(UUIDModel):
    """A browser in which an agent is signed in. Django's session refers to this row and ends with it.

    ``client_ip`` and ``user_agent`` are those of the sign-in. ``second_factor`` tells whether it was passed.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="staff_sessions")
    client_ip = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=300, blank=True)
    token_version = models.PositiveIntegerField(editable=False, help_text="The agent's, at sign-in.")
    last_seen_at = models.DateTimeField()
    second_factor = models.BooleanField(default=False)

    class Meta:
        db_table = "staff_session"
        ordering = ["-last_seen_at"]
        verbose_name = "session"


class PasswordLink(UUIDModel):
    """A request for a link by which an agent sets a password; a worker sends the link, which is not stored.

    An invitation has an agent. Otherwise somebody entered ``email``, and the worker finds out whether it has an account.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    email = models.EmailField()
    client_ip = models.GenericIPAddressField(null=True, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "password_link"
        indexes = [
            models.Index(Upper("email"), "created_at", name="password_link_email"),
            models.Index("client_ip", "created_at", name="password_link_client_ip"),
        ]


class LimitKind(models.TextChoices):
    """The kinds of limits. A new one needs no migration; the domain function that obeys it asks ``agents.limits``."""

    DEFERRAL_DAYS = "deferral_days", "Days of a deferral"
    DEFERRAL_AMOUNT = "deferral_amount", "Balance of a debt to defer"
    REFUND_AMOUNT = "refund_amount", "Refund to a payer"
    WAIVER_AMOUNT = "waiver_amount", "Amount of a waiver"
    WRITE_OFF_AMOUNT = "write_off_amount", "Amount of a write-off"
    DEFERRAL_SECOND_PERSON = "deferral_second_person", "Balance above which a second person confirms a deferral"
    ARRANGEMENT_MONTHS = "arrangement_months", "Months of an arrangement"
    ARRANGEMENT_DISCOUNT_PERCENT = "arrangement_discount_percent", "Discount of a settlement"

    @property
    def unit(self) -> str:
        """The unit of the value: days, months, percent, or the reporting currency."""
        plain = {"days": "days", "months": "months", "percent": "%"}
        return plain.get(self.value.rpartition("_")[2]) or str(settings.REPORTING_CURRENCY)

    @property
    def binds_everyone(self) -> bool:
        """Whether superusers are bound too: a second person is asked of everybody."""
        return self.value.endswith("_second_person")


def limit_kinds() -> list[tuple[str, str]]:
    return list(LimitKind.choices)


def limited_roles() -> list[tuple[str, str]]:
    return [(role, role) for role in roles.ROLES]


class RoleLimit(UUIDModel):
    """Up to which value a role may grant something by itself. A role without a row of a kind has no limit of that kind."""

    role = models.CharField(max_length=30, choices=limited_roles)
    kind = models.CharField(max_length=40, choices=limit_kinds)
    value = models.DecimalField(
        max_digits=20, decimal_places=4, help_text="Days, or an amount in the reporting currency."
    )

    class Meta:
        db_table = "role_limit"
        ordering = ["role", "kind"]
        verbose_name = "limit"
        constraints = [
            models.UniqueConstraint(fields=["role", "kind"], name="role_limit_is_unique"),
            models.CheckConstraint(condition=Q(value__gte=0), name="role_limit_is_not_negative"),
        ]

    def __str__(self) -> str:
        unit = LimitKind(self.kind).unit
        value = (
            f"{self.value.normalize():f}"
            if unit in ("days", "months", "%")
            else f"{money.rounded(self.value, unit):,f}"
        )
        return f"{value} {unit}"


def agent_field(**options: Any) -> "models.ForeignKey[Agent | None, Agent | None]":
    """Return a reference to the agent who did something; empty: the system."""
    return models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", **options)
