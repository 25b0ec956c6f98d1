"""Secrets that are replaced while what was signed with the old one is still out there."""

from typing import Any

from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError


class RotatedTokenBackend(TokenBackend):
    """Signs with the present key, and takes what an old one has signed."""

    def __init__(self, key: str, old_keys: list[str], *, audience: str, issuer: str) -> None:
        super().__init__("HS256", key, audience=audience, issuer=issuer)
        self._old = [TokenBackend("HS256", old, audience=audience, issuer=issuer) for old in old_keys]

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return what a token says.

        :raises TokenBackendError: if neither key made it, or it has expired
        """
        try:
            return super().decode(token, verify)
        except TokenBackendError:
            for backend in self._old:
                try:
                    return backend.decode(token, verify)
                except TokenBackendError:
                    continue
            raise
