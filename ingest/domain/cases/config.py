"""Settings of the closed loop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from ingest.base.config import Config

Hours = Annotated[float, Field(gt=0)]


class CasesConfig(Config):
    """Evidence files, and when the service opens a hazard or a lead by itself. The times are engineering defaults."""

    evidence: Path = Path("data/evidence")
    max_evidence_mb: Annotated[float, Field(gt=0, le=200)] = 10.0
    evidence_mb_a_day: Annotated[float, Field(gt=0)] = 500.0
    evidence_gb: Annotated[float, Field(gt=0)] = 50.0
    acts_a_day: Annotated[float, Field(ge=1)] = 2000.0
    dead_after_h: Hours = 2.0
    unhandled_red_h: Hours = 0.5
    unhandled_orange_h: Hours = 2.0
    connected_h: Hours = 24.0
    look_every_s: Annotated[float, Field(gt=0)] = 30.0
    ledger_grace_d: Annotated[int, Field(ge=0, le=3650)] = 30
    ledger_notice_d: Annotated[int, Field(ge=0, le=365)] = 30
    bypass_notice_h: Hours = 2.0
    not_closed_min: Annotated[float, Field(ge=0)] = 30.0

    @property
    def max_evidence_bytes(self) -> int:
        """Most bytes of one file."""
        return int(self.max_evidence_mb * 2**20)
