"""The agency's own name, contact details, time zone and look."""
