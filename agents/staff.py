"""Taking on members of staff."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from agents import tokens
from agents.models import Agent
from agents.roles import ROLES
from ddc.common.errors import DomainError, Duplicate, refusing


class UnknownRole(DomainError):
    """There is no such role."""

    status = 422
    code = "enum"
    field = "role"


class BadUsername(DomainError):
    """Django allows no such user name."""

    status = 422
    code = "regex"
    field = "username"


class WeakPassword(DomainError):
    """The password is too short, too common, or too much like the user name."""

    status = 422
    code = "password"
    field = "password"


@transaction.atomic
def enrol(
    *, username: str, password: str, role: str, with_api_token: bool = False, now: datetime
) -> tuple[Agent, str | None]:
    """Make a member of staff with one role: ``Agent``, ``Supervisor`` or ``Auditor``; return the text of the API token too.

    :raises UnknownRole: if the role is none of these
    :raises BadUsername: if the name is empty, too long, or has characters that no user name may have
    :raises WeakPassword: if a validator of AUTH_PASSWORD_VALIDATORS refuses the password
    :raises Duplicate: if somebody has that user name
    """
    if role not in ROLES:
        raise UnknownRole(f"There is no role {role!r}; there are {', '.join(ROLES)}.")
    agent = Agent(username=Agent.normalize_username(username), is_staff=True, date_joined=now)
    try:
        agent.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise BadUsername(" ".join(error.messages)) from error
    try:
        validate_password(password, agent)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    agent.set_password(password)
    with refusing({"USER_username_key": Duplicate(f"There is a user {username} already.", field="username")}):
        agent.save(force_insert=True)
    agent.groups.add(Group.objects.get(name=role))
    return agent, tokens.create_api_token(agent, now=now)[1] if with_api_token else None
