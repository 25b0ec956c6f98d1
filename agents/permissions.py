"""Whether somebody may do what a rule is about to do."""

from agents.models import Agent
from ddc.common.errors import Forbidden


def require(by: Agent | None, permission: str) -> None:
    """Refuse unless ``by`` has the permission (``app.codename``); None is the system itself, which may.

    :raises Forbidden: if not
    """
    if by is not None and not by.has_perm(permission):
        raise Forbidden
