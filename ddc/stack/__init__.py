"""Run PostgreSQL, Valkey and the site's own processes on a machine without servers.

This package uses the standard library only and no settings, because it runs before anything is configured.
"""


class StackError(Exception):
    """The stack cannot continue; the message names the problem and what to do."""
