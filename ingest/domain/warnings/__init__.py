"""Early warnings (预警), pure: a plant's colour by rules in a file, its risk index, and escalation."""
