"""Lists and summaries made in a process of their own, so that whoever saves a large one delays no alarm."""
