"""Sample data for a demo: its people do not exist, and its addresses are reserved for examples."""
