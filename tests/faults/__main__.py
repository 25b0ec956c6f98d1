"""Break one part of a running site after another, and print the effects: ``make faults``, or ``python -m tests.faults [WORD …]``.

The logs of the processes are copied to the folder FAULTS_LOGS.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.folders import server_folder

ON_A_DISK = (
    "postgres_restarted", "postgres_killed", "postgres_hung", "valkey_gone", "valkey_hung", "smtp_down", "smtp_hung",
    "twilio_down", "twilio_hung", "clocks_wrong",
    "codes_in_a_campaign",
)  # fmt: skip
ON_A_SMALL_DISK = ("disk_full",)
_SMALL = "--small-disk"


def main(words: list[str]) -> int:
    """Play the scenes with one of the words in their names, or all. Return 1 if anything is wrong."""
    if _SMALL in words:
        words.remove(_SMALL)
        return played(ON_A_SMALL_DISK, words, small=True)
    print("| fault | answers during it | lost | recovered after s |\n| --- | --- | --- | --- |", flush=True)
    code = played(ON_A_DISK, words, small=False)
    if os.geteuid() != 0:
        print("| disk of the database full | not tried, because only root can mount a small disk | | |")
        return code
    # In a new process, because Django is connected to the first database in this one.
    return subprocess.run([sys.executable, "-m", "tests.faults", *words, _SMALL], check=False).returncode or code


def played(names: tuple[str, ...], words: list[str], *, small: bool) -> int:
    """Play the selected scenes on one site."""
    chosen = [name for name in names if not words or any(word in name for word in words)]
    wrong: list[str] = []
    if chosen:
        with server_folder("ddc-faults-") as folder, ExitStack() as stack:
            play(chosen, folder, stack, small, wrong)
    for each in wrong:
        print(each, file=sys.stderr)
    return 1 if wrong else 0


def play(names: list[str], folder: Path, stack: ExitStack, small: bool, wrong: list[str]) -> None:
    """Start the site and play the scenes one after another."""
    from tests.faults.rig import Rig, mounted, wait_until

    if small:
        stack.enter_context(mounted(folder))
    (folder / "site").mkdir(mode=0o755)
    rig = Rig(folder / "site")
    stack.enter_context(rig.up())
    stack.callback(_keep_logs, rig)
    _set_up()
    from tests.faults import scenes

    stage = scenes.Stage.built(rig)
    wait_until(rig.is_well, seconds=60)
    for name in names:
        scene: Callable[[scenes.Stage], scenes.Row] = getattr(scenes, name)
        row = scene(stage)
        print(row, flush=True)
        wrong += [f"{row.fault}: {each}" for each in row.wrong]
        time.sleep(1)


def _set_up() -> None:
    import django
    from django.conf import settings

    django.setup()
    settings.PASSWORD_HASHERS = ["tests.passwords.QuickHasher"]


def _keep_logs(rig: object) -> None:
    from tests.faults.rig import Rig

    if isinstance(rig, Rig) and (kept := os.environ.get("FAULTS_LOGS")):
        rig.keep_logs(Path(kept))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
