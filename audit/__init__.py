"""The change log: who changed which personal data, when, before and after."""
