"""The workbench: a table in, scores, events and contributions out, by the same detectors that judge plants.

>>> import numpy as np
>>> from detectors import Rule, analyse
>>> rows = np.random.default_rng(3).normal(20, 1, (400, 2))
>>> rows[300:] += [0.0, 8.0]
>>> found = analyse({"inlet": rows[:, 0], "outlet": rows[:, 1]}, every_s=1, rules=[Rule("ewma", on=6)])
>>> [(event.column, event.kind, event.row) for event in found.events]
[('outlet', 'ewma', 302)]
>>> print(found.learning[1])
outlet/ewma: judges from 2024-01-01T00:01:40Z
"""

from detectors.workbench.analysis import Analysis, analyse
from detectors.workbench.errors import InvalidData, InvalidRule
from detectors.workbench.events import Contribution, Event, Learning
from detectors.workbench.rules import FORMS, USUAL, Rule
from detectors.workbench.table import Fact, Table

__all__ = [
    "FORMS",
    "USUAL",
    "Analysis",
    "Contribution",
    "Event",
    "Fact",
    "InvalidData",
    "InvalidRule",
    "Learning",
    "Rule",
    "Table",
    "analyse",
]
