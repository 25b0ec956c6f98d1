"""Hash one password at a time in each process."""

import threading

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from ddc.common.errors import TooMany

#: Seconds that a second hash waits for the first, which takes about half a second.
WAIT_SECONDS = 2.0
_hashing = threading.Lock()


class SerialPBKDF2Hasher(PBKDF2PasswordHasher):
    """Django's hasher. A second thread of the process waits for its turn, so that sign-ins leave processor time for others.

    Sign-in, change of password and new accounts all hash here.
    """

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash.

        :raises TooMany: if another thread of the process does not finish its own in time
        """
        if not _hashing.acquire(timeout=WAIT_SECONDS):
            raise TooMany("The server is busy with other sign-ins. Try again in a moment.", retry_after=1)
        try:
            return super().encode(password, salt, iterations)
        finally:
            _hashing.release()
