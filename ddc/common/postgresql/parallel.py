"""Work on two connections at once: a statement keeps one PostgreSQL process busy, and the machine has more cores."""

import contextvars
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connection

Task = TypeVar("Task")
Result = TypeVar("Result")


def shards(of: str) -> list[str]:
    """Return two SQL conditions that split the rows by the hash of a UUID column; within a transaction, one that takes all.

    PostgreSQL estimates that a comparison of the hash matches a third of the rows, and that a CASE matches half.
    """
    if connection.in_atomic_block:
        return ["TRUE"]
    return [f"CASE WHEN uuid_hash({of}) {side} 0 THEN true ELSE false END" for side in ("<", ">=")]


def run(work: Callable[[Task], Result], tasks: Collection[Task]) -> list[Result]:
    """Call ``work`` for each task in a thread with its own connection; return the results in the order of the tasks.

    A single task, and any task within a transaction, runs on the current connection. If a task raises, the others finish before
    the exception of the first one is raised. If the process is interrupted, the connections are terminated, which rolls back
    what is not committed.
    """
    if len(tasks) <= 1 or connection.in_atomic_block:
        return [work(task) for task in tasks]
    backends: list[int] = []
    with ThreadPoolExecutor(len(tasks), thread_name_prefix="parallel") as pool:
        started = [
            pool.submit(contextvars.copy_context().run, _on_own_connection, work, task, backends) for task in tasks
        ]
        try:
            wait(started)
        except BaseException:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [backends])
            raise
    return [each.result() for each in started]


def _on_own_connection(work: Callable[[Task], Result], task: Task, backends: list[int]) -> Result:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")  # The other tasks use the other cores.
            cursor.execute("SELECT pg_backend_pid()")
            backends.append(cursor.fetchone()[0])
        return work(task)
    finally:
        connection.close()
