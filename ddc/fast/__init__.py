"""Fast reads: GET requests answered by one SQL statement. Start with the README; the entry point is ``reads.answer_fast``."""
