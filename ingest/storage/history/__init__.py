"""History: readers of the journal that keep readings and alarm events for years, and answer queries."""
