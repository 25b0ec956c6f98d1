"""The page of a person or a debt."""
