"""History: stores readings and alarm events for years, written by a reader of the journal, and answers queries."""
