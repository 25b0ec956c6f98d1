"""``manage.py create_agent``: create a staff account."""

import os
import sys
from argparse import ArgumentParser
from datetime import UTC, date, datetime, time, timedelta
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
        parser.add_argument("--email", default="", help="address for links to set a new password")
        parser.add_argument("--api-token", action="store_true", help="also create a long-lived API token and print it")
        parser.add_argument(
            "--expires",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="last day (UTC) on which the API token works; without it, it does not expire",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        last_day: date | None = options["expires"]
        if last_day and not options["api_token"]:
            raise CommandError("--expires belongs to an API token. Add --api-token.")
        password = os.environ.get("AGENT_PASSWORD") or self._read_password()
        try:
            agent, token = staff.create(
                username=options["username"],
                password=password,
                role=options["role"],
                email=options["email"],
                with_api_token=options["api_token"],
                token_expires_at=_end_of(last_day) if last_day else None,
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Created {agent.username} with the role {options['role']}.")
        if token:
            kept, text = token
            expiry = f", works until the end of {last_day}" if last_day else ""
            self.stdout.write(f"To revoke the API token: manage.py revoke_token {kept.pk}")
            self.stdout.write(f"API token (shown only once{expiry}): {text}")

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


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC) + timedelta(days=1)
