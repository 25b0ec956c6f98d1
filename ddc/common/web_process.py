"""What a process of the web server needs before Django starts in it: short patience, and a place for shared counts."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from ddc.common import long_lived

#: A page that takes longer is of no use to anybody; commands and workers take the time that they need.
STATEMENT_TIMEOUT = "15s"


def prepare() -> None:
    """Make this a process of the web server. Before anything imports the metrics library."""
    database = settings.DATABASES["default"]
    database["OPTIONS"]["options"] += f" -c statement_timeout={STATEMENT_TIMEOUT}"
    database["ASKS_FOR_LIFE"] = True
    if settings.METRICS_TOKEN:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_shared_folder())


def warm_up() -> None:
    """Import every view now, or the first request would take seconds; what is there by then is there for good."""
    assert get_resolver().url_patterns
    long_lived.settle()


def _shared_folder() -> Path:
    """Return the folder that all workers of this server use, and no other server: it is named for their parent."""
    base = Path(tempfile.gettempdir()) / f"ddc-metrics-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    if base.is_symlink() or base.stat().st_uid != os.getuid():
        raise ImproperlyConfigured(f"{base} belongs to somebody else: remove it, or set TMPDIR.")
    for old in base.iterdir():
        if old.name.isdecimal() and not Path(f"/proc/{old.name}").exists() and Path("/proc/self").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = base / str(os.getppid())
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder
