"""The address of the web server, and a port that another program uses."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ddc.stack import StackError, process, web
from ddc.stack import __main__ as stack
from tests.stack.conftest import PLAIN, REPOSITORY

#: The settings that a web server needs to start; it connects to nothing before the first request.
SETTINGS = {
    **{
        name: f"{number}-secret-of-the-test-that-is-long-enough"
        for number, name in enumerate(("SECRET_KEY", "OTP_KEY"))
    },
    "DEBTOR_TOKEN_KEY": "another-secret-of-the-test-that-is-long-enough",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


@pytest.mark.parametrize(
    ("given", "environment", "listens"),
    [
        ([], {}, ("127.0.0.1", "8000")),
        ([], {"PORT": ""}, ("127.0.0.1", "8000")),
        ([], {"PORT": "8123"}, ("127.0.0.1", "8123")),
        (["--port", "8124"], {"PORT": "8123"}, ("127.0.0.1", "8124")),
        (["--host", "0.0.0.0"], {}, ("0.0.0.0", "8000")),
    ],
)
def test_it_listens_on_loopback_and_port_by_default(
    given: list[str], environment: dict[str, str], listens: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def instead(_: str, command: list[str]) -> None:
        raise SystemExit(command)

    monkeypatch.delenv("PORT", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "execv", instead)
    monkeypatch.setattr(web, "claim_port", lambda host, port: socket.socket())
    with pytest.raises(SystemExit) as left:
        stack.main(["web", *given])
    started: Any = left.value.code
    assert (started[started.index("--host") + 1], started[started.index("--port") + 1]) == listens


def test_an_invalid_port_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SystemExit):
        stack.main(["web"])
    assert "invalid int value: 'eighty'" in capsys.readouterr().err


@pytest.fixture
def shared() -> Iterator[int]:
    """The port of a server that would share it, as Granian does."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_another_server_would_share_is_refused(host: str, shared: int) -> None:
    with pytest.raises(StackError, match=rf"Another program uses port {shared} of {host}\. End it, or choose"):
        web.claim_port(host, shared)


def test_of_two_servers_that_start_at_once_the_second_is_refused() -> None:
    port = process.free_port()
    with web.claim_port("127.0.0.1", port), pytest.raises(StackError, match="Another program uses port"):
        web.claim_port("127.0.0.1", port)
    web.claim_port("127.0.0.1", port).close()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StackError, match=r"Port 8000 of 192\.0\.2\.1 cannot be used: "):
        web.claim_port("192.0.2.1", 8000)


def test_a_second_site_on_the_port_of_a_running_one_does_not_start() -> None:
    port = process.free_port()
    env = PLAIN | SETTINGS | {"PORT": str(port)}
    first = subprocess.Popen(web.command(port=port, workers=1), cwd=REPOSITORY, env=env, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(first, port)
        command = [sys.executable, "-m", "ddc.stack", "web"]
        second = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=30)
        assert second.returncode == 1
        assert second.stderr == (
            f"Another program uses port {port} of 127.0.0.1. End it, or choose another port with PORT=... or --port.\n"
        )
        assert first.poll() is None
    finally:
        first.terminate()
        first.wait(30)


def _wait_until_it_listens(server: "subprocess.Popen[bytes]", port: int) -> None:
    ends = time.monotonic() + 30
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < ends, "the server does not listen"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
