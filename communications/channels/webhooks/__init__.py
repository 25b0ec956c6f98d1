"""Callbacks of providers: checked to be theirs, and read into plain news for the inbox."""
