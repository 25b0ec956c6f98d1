"""The address of the web server."""

import os
from typing import Any

import pytest

from ddc.stack import __main__ as stack


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
    with pytest.raises(SystemExit) as left:
        stack.main(["web", *given])
    started: Any = left.value.code
    assert (started[started.index("--host") + 1], started[started.index("--port") + 1]) == listens


def test_an_invalid_port_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SystemExit):
        stack.main(["web"])
    assert "invalid int value: 'eighty'" in capsys.readouterr().err
