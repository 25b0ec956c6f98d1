"""A live server with sample rows in its database, for schemathesis."""

import contextlib
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.timezone import now

from agents import api_tokens
from collection import deferrals
from ddc.stack import web
from payments import posting
from portal import tokens as debtor_tokens
from tests import factories
from tests.deep.processes import environment, start
from tests.journeys.site import free_port, wait_for

ROLES = ("supervisor", "debtor", "anonymous")


@dataclass
class Fuzzed:
    url: str
    env: dict[str, str]
    tokens: dict[str, str | None]
    debtor: str

    def fuzz(self, role: str, *options: str) -> int:
        """Run schemathesis with all checks as one role, and return the number of its requests."""
        token = self.tokens[role]
        env = (
            self.env
            | ({"FUZZ_TOKEN": token} if token else {})
            | ({"FUZZ_DEBTOR": self.debtor} if role == "debtor" else {})
        )
        arguments = ["--config-file", "tests/fuzz/schemathesis.toml", "run", f"{self.url}/schema", "--no-color"]
        command = [sys.executable, "-m", "schemathesis.cli", *arguments, "--checks", "all", *options]
        found = subprocess.run(command, env=env, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
        assert not token or self.knows(role), "the token ended during the run, so most requests were anonymous"
        made = re.search(r"([\d,]+) generated", found.stdout)
        assert made, found.stdout
        return int(made[1].replace(",", ""))

    def knows(self, role: str) -> bool:
        """Return whether the role's token is still valid."""
        path = "/debtors/me/profile" if role == "debtor" else "/auth/me"
        asked = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.tokens[role]}"})
        return is_up(asked)


@contextlib.contextmanager
def fuzzed() -> Iterator[Fuzzed]:
    """Start a web server on this test's database."""
    debt = factories.debt()
    posted: dict[str, Any] = {"by": None, "today": now().date()}
    posting.record(debt=debt, amount=Decimal(10), **posted)
    posting.record(debt=debt, amount=Decimal(10), status="pending", **posted)
    deferrals.request(debt, debtor=debt.debtor, days=5, reason="I lost my job.", now=now())
    factories.segment(), factories.template()
    supervisor = factories.agent("Supervisor")
    tokens: dict[str, str | None] = {
        "supervisor": api_tokens.create(supervisor, now=now())[1],
        "debtor": debtor_tokens.issue(debt.debtor, now=now())[0],
        "anonymous": None,
    }
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = environment(PUBLIC_URL=url, OTP_PER_ADDRESS="1000000", PYTHONPATH=".")
    server = start(
        *web.command(port=port, workers=2)[1:], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: is_up(f"{url}/health"), seconds=60)
        yield Fuzzed(url, env, tokens, str(debt.debtor_id))
    finally:
        server.terminate()
        server.wait()


def is_up(url: str | urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
