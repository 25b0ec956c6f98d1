"""Random operations from several threads of a worker process, which its test watches and kills."""

import contextlib
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from django.db import connection

from ddc.common.errors import DomainError
from tests.deep.processes import start


def work(operations: Sequence[Callable[[random.Random], object]], weights: Sequence[int]) -> None:
    """Do what the command line says: SEED OPERATIONS THREADS. Print one line per finished operation."""
    seed, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    def run(own_seed: str) -> None:
        rng = random.Random(own_seed)
        for _ in range(count // threads):
            with contextlib.suppress(DomainError):
                rng.choices(operations, weights)[0](rng)
            sys.stdout.write("done\n")
            sys.stdout.flush()
        connection.close()

    running = [threading.Thread(target=run, args=(f"{seed}/{number}",)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def killed_twice(module: str, *, operations: int) -> None:
    """Run a worker until so many operations are done; it is killed after a quarter and after half of them."""
    done = 0
    kills = {operations // 4, operations // 2}
    for life in range(3):
        left = operations - done
        worker = start("-m", module, str(life), str(left + 8), "8", stdout=subprocess.PIPE)
        assert worker.stdout
        for _ in worker.stdout:
            done += 1
            if done in kills:
                worker.send_signal(signal.SIGKILL)
                break
        worker.stdout.close()
        worker.wait()
    assert done >= operations
