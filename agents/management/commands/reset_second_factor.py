"""``manage.py reset_second_factor``: for the last Supervisor after the loss of the phone."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from agents import staff
from agents.management.commands.change_agent import find


class Command(BaseCommand):
    help = (
        "Delete the second factor of a staff account and end its sessions and tokens. "
        "The next sign-in to the back office sets up a new one if the role needs one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        agent = staff.reset_second_factor(find(options["username"]), by=None)
        self.stdout.write(f"{agent.username} has no second factor any more, and is signed out everywhere.")
