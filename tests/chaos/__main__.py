"""``make chaos``: kill processes while they send, and check that no message is lost or sent twice."""

import argparse
import os
import subprocess
import sys

import django
from tqdm import tqdm

from tests.folders import server_folder


def main() -> int:
    """Send the messages, print the result, and return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20_261_124)
    parser.add_argument("--kill-every", type=float, default=2, help="seconds")
    parser.add_argument("--most-kills", type=int, default=1_000)
    chosen = parser.parse_args()
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "ddc.settings"}
    os.environ.update(env)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], env=env, check=True)
    django.setup()
    from communications.models import CommunicationLog
    from tests.chaos.run import Chaos

    if CommunicationLog.objects.exists():
        sys.exit("This database is in use. `make chaos` fills an empty one.")
    with (
        server_folder("ddc-chaos-") as folder,
        tqdm(total=chosen.messages, unit="message", file=sys.stderr) as bar,
    ):

        def show(through: int) -> None:
            bar.n = through
            bar.set_postfix_str(f"{chaos.killed.total()} killed")

        chaos = Chaos(folder, env, seed=chosen.seed, kill_every=chosen.kill_every, most_kills=chosen.most_kills)
        result = chaos.run(chosen.messages, progress=show)
    print(
        f"Seed {chosen.seed}; {result.messages:,} messages, a process killed every {chosen.kill_every:g} s.\n\n{result}"
    )
    for each in result.wrong:
        print(f"WRONG: {each}")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
