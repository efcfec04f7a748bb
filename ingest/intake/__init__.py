"""Intake, from network to journal: sources, frame formats, sequence and clock of gateways, acknowledgement."""
