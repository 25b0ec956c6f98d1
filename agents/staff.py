"""Create staff accounts."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from agents import api_tokens
from agents.models import Agent, ApiToken
from agents.roles import ROLES
from ddc.common.errors import DomainError, Duplicate, refusing


class UnknownRole(DomainError):
    """The role does not exist."""

    status = 422
    code = "enum"
    field = "role"


class InvalidUsername(DomainError):
    """The user name is empty, too long, or has characters that Django does not allow."""

    status = 422
    code = "regex"
    field = "username"


class WeakPassword(DomainError):
    """The password is too short, too common, or too similar to the user name."""

    status = 422
    code = "password"
    field = "password"


@transaction.atomic
def create(
    *,
    username: str,
    password: str,
    role: str,
    with_api_token: bool = False,
    token_expires_at: datetime | None = None,
    now: datetime,
) -> tuple[Agent, tuple[ApiToken, str] | None]:
    """Create a staff account with one role (``Agent``, ``Supervisor`` or ``Auditor``); return the API token and its text too.

    :raises UnknownRole: if the role is none of these
    :raises InvalidUsername: if Django does not allow the user name
    :raises WeakPassword: if a validator of AUTH_PASSWORD_VALIDATORS refuses the password
    :raises Duplicate: if another account has the user name
    :raises InvalidExpiry: if the API token would have expired already
    """
    if role not in ROLES:
        raise UnknownRole(f"Unknown role {role!r}. Use one of {', '.join(ROLES)}.")
    agent = Agent(username=Agent.normalize_username(username), is_staff=True, date_joined=now)
    try:
        agent.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise InvalidUsername(" ".join(error.messages)) from error
    try:
        validate_password(password, agent)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    agent.set_password(password)
    duplicate = Duplicate(f"User {username} exists already. Choose another user name.", field="username")
    with refusing({"USER_username_key": duplicate}):
        agent.save(force_insert=True)
    agent.groups.add(Group.objects.get(name=role))
    return agent, api_tokens.create(agent, now=now, expires_at=token_expires_at) if with_api_token else None
