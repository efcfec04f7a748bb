"""Simulated plants, labelled faults, a reference gateway, and a stand-in for the provincial platform."""
