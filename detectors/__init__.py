"""The anomaly-detection core: NumPy only, one algorithm a file, no I/O, no plant knowledge.

`analyse` takes a DataFrame or a CSV file to scores, events and contributions (`detectors.workbench`).

A detector is built from a `RuleTable` by `registry.build`, takes `Readings` and returns `Findings`.
"""

from detectors.bank import Bank
from detectors.derive import Derived
from detectors.expression import Expression, ExpressionError, compile_expression
from detectors.readings import Findings, Readings
from detectors.registry import KINDS, build
from detectors.rules import GATE_OPS, NO_GATE, NO_POINT, GateTable, RuleTable
from detectors.workbench import Analysis, Rule, analyse

__all__ = [
    "GATE_OPS",
    "KINDS",
    "NO_GATE",
    "NO_POINT",
    "Analysis",
    "Bank",
    "Derived",
    "Expression",
    "ExpressionError",
    "Findings",
    "GateTable",
    "Readings",
    "Rule",
    "RuleTable",
    "analyse",
    "build",
    "compile_expression",
]
