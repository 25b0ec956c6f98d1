"""``manage.py revoke_token``: revoke API tokens."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents import api_tokens
from agents.models import Agent, ApiToken


class Command(BaseCommand):
    help = (
        "Revoke an API token by its id, which create_agent prints and the back office shows, or all API tokens of an account. "
        "Without arguments the token's text is read from API_TOKEN, because other users can read command lines."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", nargs="?", help="the token's id")
        parser.add_argument("--agent", metavar="NAME", help="revoke all API tokens of this account")

    def handle(self, *args: Any, **options: Any) -> None:
        found = self._of_agent(options["agent"]) if options["agent"] else [self._token(options["token"])]
        for token in found:
            if token.revoked_at:
                self.stdout.write(f"Token {token.pk} of {token.agent.username} was revoked before.")
            else:
                api_tokens.revoke(token, now=timezone.now())
                self.stdout.write(f"Revoked token {token.pk} of {token.agent.username}.")

    def _token(self, given: str | None) -> ApiToken:
        text = given or os.environ.get("API_TOKEN", "")
        if not text:
            raise CommandError("Name a token: its id, --agent NAME, or its text in the variable API_TOKEN.")
        token = api_tokens.find(text)
        if token is None:
            raise CommandError("There is no such API token. Use the id that the back office shows under API tokens.")
        return token

    def _of_agent(self, username: str) -> list[ApiToken]:
        try:
            agent = Agent.objects.get(username=username)
        except Agent.DoesNotExist as error:
            raise CommandError(f"There is no user {username}.") from error
        return list(agent.api_tokens.filter(revoked_at=None).select_related("agent"))
