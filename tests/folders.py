"""Temporary folders that the servers' account can enter."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ddc.stack import account


@contextlib.contextmanager
def server_folder(prefix: str, *, mode: int = 0o755) -> Iterator[Path]:
    """Make a folder for servers and remove it afterwards.

    Pytest's ``tmp_path`` does not serve: its parents are private, so servers that root starts cannot enter it.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, dir=account.temporary_base(account.for_servers())) as name:
        folder = Path(name)
        folder.chmod(mode)
        yield folder
