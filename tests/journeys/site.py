"""The whole site as processes: web server and workers on the test's database, with stand-ins for mail and Twilio."""

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ddc.stack import web
from tests.deep.processes import environment, start
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import ACCOUNT, NUMBER, TOKEN, TwilioStandIn

Found = TypeVar("Found")


@dataclass
class Answer:
    status: int
    headers: Any
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Site:
    """A running site. Calls send ``token``."""

    url: str
    smtp: SmtpStandIn
    twilio: TwilioStandIn
    env: dict[str, str]
    token: str | None = None
    logs: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json", **headers}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def manage(self, *arguments: str) -> str:
        """Run a management command and return its output."""
        with start("manage.py", *arguments, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
            out, err = command.communicate(timeout=120)
        assert command.returncode == 0, err
        return out


def wait_for(found: Callable[[], Found], *, seconds: float = 20) -> Found:
    """Wait until ``found`` returns something, and return that."""
    ends = time.monotonic() + seconds
    while not (thing := found()):
        assert time.monotonic() < ends, "nothing was found in time"
        time.sleep(0.05)
    return thing


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Site]:
    """Run the site."""
    with contextlib.ExitStack() as stack:
        smtp, twilio = stack.enter_context(SmtpStandIn()), stack.enter_context(TwilioStandIn())
        port = free_port()
        env = environment(
            PUBLIC_URL=f"http://127.0.0.1:{port}",
            EMAIL_URL=f"smtp://127.0.0.1:{smtp.port}",
            SMS_BACKEND="twilio",
            TWILIO_ACCOUNT_SID=ACCOUNT,
            TWILIO_AUTH_TOKEN=TOKEN,
            TWILIO_FROM_NUMBER=NUMBER,
            TWILIO_API_URL=twilio.url,
            **settings,
        )
        quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for arguments in (
            web.command(port=port, workers=2)[1:],
            ["-m", "celery", "-A", "ddc", "worker", "-Q", "ddc,fast", "-c", "2", "-l", "WARNING", "--without-mingle"],
        ):
            process = start(*arguments, **quiet)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        site = Site(f"http://127.0.0.1:{port}", smtp, twilio, env)
        wait_for(lambda: is_up(site), seconds=60)
        yield site


def is_up(site: Site) -> bool:
    try:
        return site("GET", "/health").status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
