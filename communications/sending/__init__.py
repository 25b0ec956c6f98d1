"""From the queue to the provider: claimed once, handed over once, and provable."""
