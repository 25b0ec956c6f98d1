"""Do work on two connections at once: a statement keeps one process of PostgreSQL busy, and the machine has more cores."""

import contextvars
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connection

Task = TypeVar("Task")
Result = TypeVar("Result")


def halves(of: str) -> list[str]:
    """Return two conditions that each take half of the values of an uuid column; within a transaction, one that takes all.

    By their hash, so that it doesn't matter in which order the rows were made. Of a comparison PostgreSQL would expect a third of
    the rows, and plan for that; of a CASE it expects half.
    """
    if connection.in_atomic_block:
        return ["TRUE"]
    return [f"CASE WHEN uuid_hash({of}) {side} 0 THEN true ELSE false END" for side in ("<", ">=")]


def side_by_side(work: Callable[[Task], Result], tasks: Collection[Task]) -> list[Result]:
    """Call ``work`` for each task, each in a thread with a connection of its own; return the results in the tasks' order.

    A single task, and any within a transaction, is done right here. When one raises, the others come to their end before that
    is passed on; of several, the first task's. When we are told to stop meanwhile, what they haven't committed is taken back.
    """
    if len(tasks) <= 1 or connection.in_atomic_block:
        return [work(task) for task in tasks]
    processes: list[int] = []
    with ThreadPoolExecutor(len(tasks), thread_name_prefix="side-by-side") as pool:
        started = [
            pool.submit(contextvars.copy_context().run, _on_own_connection, work, task, processes) for task in tasks
        ]
        try:
            wait(started)
        except BaseException:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(process) FROM unnest(%s::int[]) AS process", [processes])
            raise
    return [each.result() for each in started]


def _on_own_connection(work: Callable[[Task], Result], task: Task, processes: list[int]) -> Result:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")  # The other cores have the other tasks.
            cursor.execute("SELECT pg_backend_pid()")
            processes.append(cursor.fetchone()[0])
        return work(task)
    finally:
        connection.close()
