"""`python -m gateway_sim`."""

import sys

from ingest.base.extras import ExtraMissing, needing

try:
    with needing("demo", "gateway_sim"):
        from gateway_sim.cli import app
except ExtraMissing as error:
    sys.exit(str(error))

app()
