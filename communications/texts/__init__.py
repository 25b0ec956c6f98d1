"""The text of a message: templates, the values of their placeholders, and the finished text."""
