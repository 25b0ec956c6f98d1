"""The log lines of the site."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ddc.common.observing import logs


class Logged:
    """The lines that were logged, as a collector of logs reads them."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def named(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["event"] == event]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logged]:
    found = Logged()
    monkeypatch.setattr(logs, "write", lambda line: found.stream.write(f"{line}\n"))
    handler = logging.StreamHandler(found.stream)
    handler.setFormatter(logs.json_formatter())
    root = logging.getLogger()
    (real,) = [each for each in root.handlers if each.name == "stderr"]
    handler.filters = real.filters
    root.addHandler(handler)
    yield found
    root.removeHandler(handler)
