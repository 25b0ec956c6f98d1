"""May this person be contacted, when and how: the gate, the policies that it goes by, and what it said."""
