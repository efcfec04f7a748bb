"""Storage: the journal, the state database and the history."""
