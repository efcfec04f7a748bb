"""Every kind's score in plain loops."""

from __future__ import annotations

from tests.reference import basic
from tests.reference.plain import Scores

SCORES: Scores = {**basic.SCORES}
