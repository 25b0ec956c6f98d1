"""PostgreSQL, Valkey and the site's own processes on a machine without servers.

Standard library only, and no settings: this package must run before anything is configured.
"""
