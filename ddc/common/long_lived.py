"""What a process that is there to stay does once all that it needs is imported."""

import gc


def settle() -> None:
    """Leave out of every later look for garbage what is there by now: it stays, and takes long to look through."""
    gc.collect()
    gc.freeze()
