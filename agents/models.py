"""Staff accounts, and the tokens of staff and their programs."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models

from ddc.common.errors import Forbidden
from ddc.common.models import UUIDModel, uuid7


class Agent(AbstractUser):
    """A member of staff. Permissions come from roles: the groups Agent, Supervisor and Auditor."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    #: The permissions of the agent's roles, if authentication has loaded them: this saves two queries per request.
    granted: frozenset[str] | None = None

    class Meta:
        db_table = "USER"
        ordering = ["username"]

    @property
    def name(self) -> str:
        return self.get_full_name() or self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        if self.granted is None or obj is not None or self.is_superuser:
            return super().has_perm(perm, obj)
        return self.is_active and perm in self.granted

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
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "token_family"
        verbose_name_plural = "token families"


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
    digest = models.CharField(max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.agent.username}, {self.created_at:%Y-%m-%d}"


def agent_field(**options: Any) -> "models.ForeignKey[Agent | None, Agent | None]":
    """Return a reference to the agent who did something; empty: the system."""
    return models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", **options)
