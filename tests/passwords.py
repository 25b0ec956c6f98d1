"""A password hasher for tests: hashing well takes longer than most tests."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own with one iteration; a site with the stock hasher verifies it as well."""

    iterations = 1
