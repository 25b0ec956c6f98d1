"""Sessions of the back office: one row for each browser in which an agent is signed in.

A session ends 8 hours after its last request, 12 hours after its sign-in, with the tokens of the agent (a new password), or
at once when its row is deleted.
"""

import uuid
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from agents import second_factor, tokens
from agents.models import Agent, StaffSession
from ddc.common.postgresql.batches import delete_in_batches

IDLE, ABSOLUTE = timedelta(hours=8), timedelta(hours=12)
#: How old ``last_seen_at`` may become before a request writes it.
SEEN_EVERY = timedelta(minutes=1)

#: Parts of a User-Agent header and the names to show, the most specific first: Edge and Opera name Chrome too.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def start(agent: Agent, *, client_ip: str, user_agent: str, now: datetime) -> StaffSession:
    """Record a sign-in and return its row; the second factor is not passed yet."""
    return StaffSession.objects.create(
        agent=agent,
        client_ip=client_ip,
        user_agent=_printable(user_agent)[:300],
        token_version=agent.token_version,
        created_at=now,
        last_seen_at=now,
    )


def is_open(agent: Agent, session_id: str | None, *, now: datetime) -> bool:
    """Return whether the agent's session has not ended, and record that it was used.

    A session without the second factor counts as ended as soon as the agent needs one.
    """
    session = _open(agent, now).filter(pk=session_id).first() if session_id else None
    if session is None or not (session.second_factor or not second_factor.is_required(agent)):
        return False
    if now - session.last_seen_at >= SEEN_EVERY:
        StaffSession.objects.filter(pk=session.pk).update(last_seen_at=now, updated_at=now)
    return True


def open_sessions(agent: Agent, *, now: datetime) -> list[StaffSession]:
    """Return the agent's sessions, the last used first, up to 100."""
    return list(_open(agent, now)[:100])


def end(agent: Agent, session_id: uuid.UUID) -> None:
    """End one session of the agent."""
    StaffSession.objects.filter(agent=agent, pk=session_id).delete()


def end_all(agent: Agent, *, but: str | None = None, now: datetime) -> None:
    """End all sessions of the agent but one, and all sign-ins over the API. Tokens of programs stay valid.

    The one that stays belongs to the present version of the tokens, although a new password has just changed it.
    """
    StaffSession.objects.filter(agent=agent).exclude(pk__in=[but] if but else []).delete()
    agent.refresh_from_db(fields=["token_version"])
    # By its id: a session that begins at this moment with the earlier password must not stay.
    StaffSession.objects.filter(agent=agent, pk__in=[but] if but else []).update(token_version=agent.token_version)
    tokens.revoke_families(agent, now=now)


def pass_second_factor(agent: Agent, session_id: str) -> None:
    """Record that the agent passed the second factor in this session."""
    StaffSession.objects.filter(agent=agent, pk=session_id).update(second_factor=True)


def delete_expired(*, now: datetime) -> None:
    """Delete the rows of expired sessions."""
    is_over = Q(created_at__lte=now - ABSOLUTE) | Q(last_seen_at__lte=now - IDLE)
    delete_in_batches(StaffSession.objects.filter(is_over))


def browser(user_agent: str) -> str:
    """Return the browser and system of a User-Agent header in words, such as ``Firefox on Windows``."""
    name = next((name for part, name in _BROWSERS if part in user_agent), "")
    system = next((name for part, name in _SYSTEMS if part in user_agent), "")
    return " on ".join(filter(None, (name, system))) or "Unknown browser"


def _open(agent: Agent, now: datetime) -> QuerySet[StaffSession]:
    alive = StaffSession.objects.filter(created_at__gt=now - ABSOLUTE, last_seen_at__gt=now - IDLE)
    return alive.filter(agent=agent, token_version=F("agent__token_version"))


def _printable(text: str) -> str:
    return "".join(character for character in text[:1000] if character.isprintable())
