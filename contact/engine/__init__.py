"""The rules of contact as pure functions: no Django, no clock, no settings. ``gate.decide`` is the entry point."""
