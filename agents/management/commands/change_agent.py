"""``manage.py change_agent``: change the role of a staff account, deactivate it, or end its access."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents import staff
from agents.models import Agent
from agents.roles import ROLES
from ddc.common.errors import DomainError


def find(username: str) -> Agent:
    """Return the account with this user name.

    :raises CommandError: if there is none
    """
    agent = Agent.objects.filter(username=username).first()
    if agent is None:
        raise CommandError(f"There is no user {username}.")
    return agent


class Command(BaseCommand):
    help = "Change a staff account as a Supervisor does in the back office. The last active Supervisor stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        change = parser.add_mutually_exclusive_group(required=True)
        change.add_argument("--role", choices=sorted(ROLES), help="the new role, in place of all earlier ones")
        change.add_argument("--deactivate", action="store_true", help="refuse sign-in, end all sessions and tokens")
        change.add_argument("--reactivate", action="store_true", help="allow sign-in again")
        change.add_argument("--end-access", action="store_true", help="end all sessions and tokens")

    def handle(self, *args: Any, **options: Any) -> None:
        agent = find(options["username"])
        try:
            if options["role"]:
                staff.change_role(agent, role=options["role"], by=None)
            elif options["deactivate"]:
                staff.deactivate(agent, by=None)
            elif options["reactivate"]:
                staff.reactivate(agent, by=None)
            else:
                staff.end_access(agent, by=None)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Changed {agent.username}.")
