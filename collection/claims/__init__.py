"""The rules of a claim's money: how it is allocated, what interest it bears, which costs may be charged.

Pure functions over plain values, without Django: the account of a claim follows from its events and terms only. See
docs/claims.md.
"""
