"""Prints what a trial found, as it goes on."""

from __future__ import annotations

from ingest.cli.configured import say
from ingest.delivery.findings import Finding


def show_finding(finding: Finding) -> None:
    """Print a mark, what was tried and seen, and what to change."""
    mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]?[/]"}[finding.good]
    say.print(f"{mark} {finding.step.zh} {finding.step.en}: ", end="")
    say.print(finding.detail.zh, markup=False)
    say.print(f"    {finding.detail.en}", markup=False)
    if finding.advice is not None:
        say.print(f"    → {finding.advice.zh}", markup=False)
        say.print(f"      {finding.advice.en}", markup=False)
