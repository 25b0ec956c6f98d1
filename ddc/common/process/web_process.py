"""Prepare a process of the web server, and the heap of any long-lived process."""

import gc
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

#: A page that takes longer is of no use to its reader; commands and workers have no such limit.
STATEMENT_TIMEOUT = "15s"


def prepare() -> None:
    """Limit statements and share request counts among processes. Call it before the metrics library is imported."""
    database = settings.DATABASES["default"]
    database["OPTIONS"]["options"] += f" -c statement_timeout={STATEMENT_TIMEOUT}"
    database["DETECT_HANGS"] = True
    if settings.METRICS_TOKEN:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_shared_folder())


def warm_up() -> None:
    """Import every view now, because the first request would take seconds."""
    assert get_resolver().url_patterns
    freeze_heap()


def freeze_heap(**_: object) -> None:
    """Exclude the objects of this moment, which stay, from garbage collection; Celery calls it with arguments."""
    gc.collect()
    gc.freeze()


def _shared_folder() -> Path:
    """Return the folder that the workers of this server share; it is named for their parent process."""
    base = Path(tempfile.gettempdir()) / f"ddc-metrics-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    if base.is_symlink() or base.stat().st_uid != os.getuid():
        raise ImproperlyConfigured(f"{base} belongs to another user. Remove it, or set TMPDIR.")
    for old in base.iterdir():
        if old.name.isdecimal() and not Path(f"/proc/{old.name}").exists() and Path("/proc/self").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = base / str(os.getppid())
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder
