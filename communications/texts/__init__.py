"""What a message says: templates, what their placeholders stand for, and the finished text."""
