"""The kinds of rule: one algorithm a file. `detectors.registry` names them, docs/detectors.md shows them at work."""
