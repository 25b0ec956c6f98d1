"""May we contact this person now? Policies, preferences, the gate that applies them, and every decision it made."""
