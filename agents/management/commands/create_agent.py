"""``manage.py create_agent``: take on a member of staff."""

import os
import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents import staff
from agents.roles import ROLES
from ddc.common.errors import DomainError


class Command(BaseCommand):
    help = "Make a member of staff. The password comes from AGENT_PASSWORD, else it is asked for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=sorted(ROLES))
        parser.add_argument(
            "--api-token", action="store_true", help="also make a long-lived token for programs, and print it once"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("AGENT_PASSWORD") or self._ask()
        try:
            agent, token = staff.enrol(
                username=options["username"],
                password=password,
                role=options["role"],
                with_api_token=options["api_token"],
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Made {agent.username} with the role {options['role']}.")
        if token:
            self.stdout.write(f"API token (it is shown this once): {token}")

    def _ask(self) -> str:
        if not (sys.stdin and sys.stdin.isatty()):
            raise CommandError("There is no terminal to ask for the password at: set AGENT_PASSWORD.")
        try:
            password = getpass("Password: ")
            again = getpass("Password (again): ")
        except (EOFError, KeyboardInterrupt) as error:
            raise CommandError("No password was given.") from error
        if password != again:
            raise CommandError("The two passwords differ.")
        return password
