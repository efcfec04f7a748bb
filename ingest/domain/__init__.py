"""The domain, pure: plants' nouns, quality, alarms, early warnings and the closed loop."""
