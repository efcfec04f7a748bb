"""The demonstration: the real service with simulated plants, on one machine, with nothing to install."""
