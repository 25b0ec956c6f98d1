"""The account of a debt over HTTP."""
