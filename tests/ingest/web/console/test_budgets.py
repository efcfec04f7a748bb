"""What a rule may find by its budget, and has found, is on the page of its point."""

from __future__ import annotations

from ingest.domain.model.budget import RuleBudget
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM
from tests.ingest.web.stand_in import OPERATOR, StandIn


async def test_what_a_budget_allowed_and_what_was_spent_stands_at_its_rule(hall: StandIn, ask: Ask) -> None:
    """While the limit is learnt: how many days of readings that still takes."""
    path, client = f"/plants/{ALUMINIUM}/points/CW_IN_P-01", ask(OPERATOR)
    hall.spending[ALUMINIUM, "CW_IN_P-01", "L"] = RuleBudget(30.0, 2, 1.54, 0.0, 4.25)
    page = (await client.get(path)).text
    assert page.count("误报预算") == 1
    assert "误报预算：允许 1.5 次，已报 2 次，当前限值 4.25" in page
    hall.spending[ALUMINIUM, "CW_IN_P-01", "L"] = RuleBudget(30.0, 0, 0.0, 86_400 * 6.5, None)
    assert "误报预算：还需约 6.5 天的正常读数" in (await client.get(f"{path}/rules")).text
