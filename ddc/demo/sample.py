"""The sample data of the demo, from ``sample.toml``."""

import tomllib
from pathlib import Path
from typing import Any

SAMPLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "sample.toml").read_text("utf-8"))
