"""``manage.py create_agent``: create a staff account."""

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
    help = "Create a staff account. The password is read from AGENT_PASSWORD, else from the terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=sorted(ROLES))
        parser.add_argument("--api-token", action="store_true", help="also create a long-lived API token and print it")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("AGENT_PASSWORD") or self._read_password()
        try:
            agent, token = staff.create(
                username=options["username"],
                password=password,
                role=options["role"],
                with_api_token=options["api_token"],
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Created {agent.username} with the role {options['role']}.")
        if token:
            self.stdout.write(f"API token (shown only once): {token}")

    def _read_password(self) -> str:
        if not (sys.stdin and sys.stdin.isatty()):
            raise CommandError("There is no terminal to enter the password. Set AGENT_PASSWORD.")
        try:
            password = getpass("Password: ")
            again = getpass("Password (again): ")
        except (EOFError, KeyboardInterrupt) as error:
            raise CommandError("No password was entered.") from error
        if password != again:
            raise CommandError("The two passwords differ. Try again.")
        return password
