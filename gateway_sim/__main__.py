"""`python -m gateway_sim`."""

from gateway_sim.cli import app

app()
