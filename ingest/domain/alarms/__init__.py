"""Alarms (ISA-18.2), pure: their life cycle, what hides them, how they are listed, counted and reported."""
