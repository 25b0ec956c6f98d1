"""The back office's pages on which arrangements are decided and changed."""

from casework.admin.arrangements import page  # noqa: F401 - It registers the pages.
