"""Grafana dashboards and the operator console's templates, styles and script."""
