"""Staff accounts: create, change the role, deactivate, and end access.

A Supervisor does this in the back office, ``manage.py`` on the server. One active Supervisor always stays.
"""

from datetime import datetime
from typing import Any

import structlog
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from agents import api_tokens, passwords, second_factor, tokens
from agents.models import Agent, ApiToken, require_permission
from agents.roles import ROLES, SUPERVISOR
from ddc.common.errors import DomainError, Duplicate, Forbidden, Missing, refusing
from ddc.common.postgresql import advisory_locks
from ddc.common.postgresql.advisory_locks import AdvisoryLock

log = structlog.get_logger(__name__)

MANAGE_STAFF = "agents.manage_staff"


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


class OwnAccount(DomainError):
    """An agent may not do this to the own account."""

    message = "You cannot do this to your own account. Ask another Supervisor."


class LastSupervisor(DomainError):
    """The change would leave no active Supervisor."""

    message = "This is the last active Supervisor. Give another active agent this role first."


class Inactive(DomainError):
    """The account is deactivated."""

    message = "This account is deactivated. Reactivate it first."


@transaction.atomic
def create(
    *,
    username: str,
    password: str | None,
    role: str,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    with_api_token: bool = False,
    token_expires_at: datetime | None = None,
    by: Agent | None = None,
    now: datetime,
) -> tuple[Agent, tuple[ApiToken, str] | None]:
    """Create a staff account with one role (``Agent``, ``Supervisor`` or ``Auditor``); return the API token and its text too.

    Without a password it gets a link by mail to set one.

    :raises UnknownRole: if the role is none of these
    :raises InvalidUsername: if Django does not allow the user name
    :raises WeakPassword: if a validator of AUTH_PASSWORD_VALIDATORS refuses the password
    :raises Missing: if there is neither a password nor an address to send the link to
    :raises Duplicate: if another account has the user name or the e-mail address
    :raises InvalidExpiry: if the API token would have expired already
    """
    require_permission(by, MANAGE_STAFF)
    _check_role(role)
    if password is None and not email:
        raise Missing("Enter an e-mail address: the link to set a password goes there.", field="email")
    agent = Agent(
        username=Agent.normalize_username(username),
        email=email,
        first_name=first_name,
        last_name=last_name,
        is_staff=True,
        date_joined=now,
    )
    try:
        agent.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise InvalidUsername(" ".join(error.messages)) from error
    _set_password(agent, password)
    with refusing(_duplicates(agent)):
        agent.save(force_insert=True)
    agent.groups.add(Group.objects.get(name=role))
    _record("created", agent, by, role=role)
    if password is None:
        passwords.invite(agent, now=now)
    return agent, api_tokens.create(agent, now=now, expires_at=token_expires_at) if with_api_token else None


@transaction.atomic
def amend(agent: Agent, *, by: Agent | None, **changes: Any) -> Agent:
    """Change the name or e-mail address of an account.

    :raises Duplicate: if another account has the e-mail address
    """
    agent = _locked(agent, by)
    for name, value in changes.items():
        setattr(agent, name, value or "")
    with refusing(_duplicates(agent)):
        agent.save(update_fields=list(changes))
    _record("amended", agent, by, fields=sorted(changes))
    return agent


@transaction.atomic
def change_role(agent: Agent, *, role: str, by: Agent | None) -> Agent:
    """Give an agent another role in place of all earlier ones; it applies with the agent's next request.

    :raises OwnAccount: if it is the own account
    :raises LastSupervisor: if no other active Supervisor would be left
    """
    _check_role(role)
    agent = _locked(agent, by, own=False)
    if role != SUPERVISOR:
        _require_another_supervisor(agent)
    agent.groups.set([Group.objects.get(name=role)])
    _record("role_changed", agent, by, role=role)
    return agent


@transaction.atomic
def deactivate(agent: Agent, *, by: Agent | None) -> Agent:
    """Dismiss an agent: sign-in is refused, and all tokens and sessions end at once and for good.

    :raises OwnAccount: if it is the own account
    :raises LastSupervisor: if no other active Supervisor would be left
    """
    agent = _locked(agent, by, own=False)
    _require_another_supervisor(agent)
    agent.is_active = False
    agent.save(update_fields=["is_active"])
    _end_access(agent)
    _record("deactivated", agent, by)
    return agent


@transaction.atomic
def reactivate(agent: Agent, *, by: Agent | None) -> Agent:
    """Let a deactivated agent sign in again, with the earlier password and second factor. Earlier tokens stay ended."""
    agent = _locked(agent, by, own=False)
    agent.is_active = True
    agent.save(update_fields=["is_active"])
    _record("reactivated", agent, by)
    return agent


@transaction.atomic
def end_access(agent: Agent, *, by: Agent | None) -> Agent:
    """End all sessions and all tokens of an agent, API tokens included. The agent may sign in again."""
    agent = _locked(agent, by)
    _end_access(agent)
    _record("access_ended", agent, by)
    return agent


@transaction.atomic
def reset_second_factor(agent: Agent, *, by: Agent | None) -> Agent:
    """Delete the second factor of an agent after the loss of the phone, and end the agent's sessions and tokens.

    :raises OwnAccount: if it is the own account, where the password and a code are asked for
    """
    agent = _locked(agent, by, own=False)
    second_factor.delete(agent)
    _end_access(agent)
    _record("second_factor_reset", agent, by)
    return agent


@transaction.atomic
def send_password_link(agent: Agent, *, by: Agent | None, now: datetime) -> Agent:
    """Send an agent a link to set a password.

    :raises Inactive: if the account is deactivated
    :raises Missing: if it has no e-mail address
    """
    agent = _locked(agent, by)
    if not agent.is_active:
        raise Inactive
    if not agent.email:
        raise Missing("The account has no e-mail address. Enter one first.")
    passwords.invite(agent, now=now)
    _record("password_link_sent", agent, by)
    return agent


def other_supervisors(agent: Agent) -> bool:
    """Return whether another Supervisor is active and can sign in."""
    others = Agent.objects.filter(groups__name=SUPERVISOR, is_active=True, is_staff=True).exclude(pk=agent.pk)
    return any(other.has_usable_password() for other in others[:1000])


def _locked(agent: Agent, by: Agent | None, *, own: bool = True) -> Agent:
    """Take the lock of all such changes, check who asks, and return the current row.

    Two Supervisors could otherwise dismiss each other at once: each would still find the other one.
    """
    advisory_locks.lock(AdvisoryLock.STAFF)
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    if by is None:
        return agent
    by = Agent.objects.get(pk=by.pk)  # The one who asks may just have lost the role.
    require_permission(by, MANAGE_STAFF)
    if agent.pk == by.pk and not own:
        raise OwnAccount
    if agent.is_superuser and not by.is_superuser:
        raise Forbidden("Only a superuser may change a superuser's account.")
    return agent


def _require_another_supervisor(agent: Agent) -> None:
    if agent.is_active and agent.groups.filter(name=SUPERVISOR).exists() and not other_supervisors(agent):
        raise LastSupervisor


def _end_access(agent: Agent) -> None:
    agent.staff_sessions.all().delete()
    tokens.revoke_all(agent)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UnknownRole(f"Unknown role {role!r}. Use one of {', '.join(ROLES)}.")


def _set_password(agent: Agent, password: str | None) -> None:
    if password is not None:
        try:
            validate_password(password, agent)
        except ValidationError as error:
            raise WeakPassword(" ".join(error.messages)) from error
    agent.set_password(password)


def _duplicates(agent: Agent) -> dict[str, DomainError]:
    name = Duplicate(f"User {agent.username} exists already. Choose another user name.", field="username")
    return {
        "USER_username_key": name,
        "USER_email_unique": Duplicate("Another account has this address.", field="email"),
    }


def _record(change: str, agent: Agent, by: Agent | None, **more: Any) -> None:
    log.info("staff_changed", change=change, account=str(agent.pk), by=str(by.pk) if by else None, **more)
