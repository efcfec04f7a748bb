"""The anomaly-detection core: NumPy only, one algorithm a file, no I/O, no plant knowledge.

A detector is built from a `RuleTable` by `registry.build`, takes `Readings` and returns `Findings`.
"""

from detectors.bank import Bank
from detectors.derive import Derived
from detectors.expression import Expression, ExpressionError, compile_expression
from detectors.readings import Findings, Readings
from detectors.registry import KINDS, build
from detectors.rules import GATE_OPS, NO_GATE, NO_POINT, GateTable, RuleTable

__all__ = [
    "GATE_OPS",
    "KINDS",
    "NO_GATE",
    "NO_POINT",
    "Bank",
    "Derived",
    "Expression",
    "ExpressionError",
    "Findings",
    "GateTable",
    "Readings",
    "RuleTable",
    "build",
    "compile_expression",
]
