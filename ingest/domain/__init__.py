"""The domain, free of I/O: records of a plant, quality of readings, alarms, early warnings and the closed loop."""
