"""The demonstration: the real service with simulated plants around it, on one machine, with nothing to install."""
