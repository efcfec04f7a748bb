"""Something of every kind behind the API, and requests that name it instead of what was made up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import httpx
from schemathesis import Case

from ingest.domain.cases.days import day_of
from ingest.domain.model.daily import CleaningArea, PledgeDuty
from ingest.domain.model.payload import iso
from ingest.domain.model.text import Text
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import PDF, fill
from tests.ingest.web.interlocks import LANCE, bypass, with_interlock
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, INSPECTOR, OPERATOR, StandIn

API: Final = "/api/v1"
PLACES: Final = {
    STEEL: ("CO-01", "H", "BF-02"),
    WOOD: ("HOPPER_T-01", "H", "DC-01"),
    ALUMINIUM: ("CW_IN_P-01", "L", "CAST-01"),
}
"""A point, a rule of it and an equipment of each plant."""

LISTS: Final = {
    "alarm": "alarms", "bypass": "bypasses", "call": "calls", "cleaning": "cleanings", "disposition": "dispositions",
    "hazard": "hazards", "inspection": "inspections", "instrument": "instruments", "lead": "leads",
    "pledge": "pledges", "suppression": "suppressions", "warning": "warnings", "work": "works",
}  # fmt: skip
"""The list of the API by what a path calls a member of it."""

ON_DUTY: Final = {"position": "值班长", "person": "李四", "to": "王五", "substitute": "王五"}
"""What the settings name, by the field of a body."""

ONLY_AT: Final = {
    "calls": STEEL,
    "duty": STEEL,
    "cleanings": WOOD,
    "pledges": ALUMINIUM,
    "bypasses": STEEL,
    "inspections": STEEL,
}
"""The plant that has something to clean, pledges, interlocks, a lead to go after."""


@dataclass
class Objects:
    """What there is, given out in turn to the requests of one caller.

    Attributes:
        known: by what a path calls it, the members of a list as the API shows them.
        evidence: by plant, a file that was handed in.
        entry: of an instrument's ledger.
        now: ns since the epoch.
        token: the caller's.
        first: the place of the first of each kind that is given out.
    """

    known: dict[str, list[dict[str, Any]]]
    evidence: dict[str, str]
    entry: str
    now: int
    token: str
    first: int
    served: dict[str, count[int]] = field(default_factory=dict)

    def put_into(self, case: Case[Any]) -> str:
        """Have a request name what there is, as it is now; what it says beside that stays as it was generated.

        Returns the plant it is about.
        """
        path, named = case.operation.path, case.path_parameters
        plant = ONLY_AT.get(path.removeprefix(f"{API}/").partition("/")[0]) or self._next("plant", [*PLACES])
        for parameter in named.keys() & self.known.keys():
            chosen = self._next(parameter, self.known[parameter])
            named[parameter], plant = chosen["id"], chosen["plant"]
        if path.endswith("/correct"):
            named["instrument"], plant = self.known["instrument"][0]["id"], STEEL  # the one with the entry
        there = {"plant": plant, "point": PLACES[plant][0], "evidence_id": self.evidence[plant]}
        named |= {name: there[name] for name in named.keys() & there}
        there["position"] = plant  # its control room
        named |= {"equipment": PLACES[plant][2]} if "equipment" in named else {}
        case.query |= {name: there[name] for name in case.query.keys() & there}
        if isinstance(case.body, dict):
            real = self._body(path, plant, case.body)
            if "version" in case.body:
                shown = case.operation.schema[path[: path.rindex("}") + 1]]["GET"].Case(path_parameters=dict(named))
                answer = shown.call(headers={"authorization": f"Bearer {self.token}"}).json()
                real["version"] = answer.get("version", case.body["version"])  # nothing is shown to a display
            case.body |= real
        return plant

    def _body(self, path: str, plant: str, made_up: dict[str, Any]) -> dict[str, Any]:
        """The fields of a body that name something, or a time that others decide."""
        point, rule, equipment = PLACES[plant]
        today, kind = str(day_of(self.now)), path.removeprefix(f"{API}/").partition("/")[0]
        basis, source = made_up.get("basis"), made_up.get("source")
        alarms = [self._of(plant, "alarm")] if made_up.get("alarms") else []
        real: dict[str, Any] = {
            "plant": plant,
            "point": LANCE if kind == "bypasses" else point,
            "equipment": equipment,
            "rule": rule,
            "evidence": [self.evidence[plant]] if made_up.get("evidence") else [],
            "alarms": alarms,
            "warning": None if alarms else self._of(plant, "warning"),
            "hazard": self._of(plant, "hazard"),
            "entry": self.entry,
            "origin": self._of(plant, "alarm") if source == "alarm" else None,
            "file": PDF.decode(),
        }
        found = {name: value for name, value in real.items() if made_up.get(name) is not None}
        match kind:
            case "inspections" if basis is not None:
                found |= {"lead": self._of(plant, "lead") if basis == "lead" else None, "reference": "2026-11"}
            case "hazards" if source == "alarm":
                found["origin"] = real["origin"]
            case "cleanings" if "area" in made_up:
                found |= {"area": "A1", "done": iso(self.now)}
            case "pledges" if "day" in made_up:
                found["day"] = today
            case "self-inspections":
                found |= {"day": today, "period": "2026-11" if plant == STEEL else "2026-Q4"}
            case "dispositions":
                found |= {"handled": iso(self.now), "raises": None}
            case "duty":
                found |= {name: value for name, value in ON_DUTY.items() if name in made_up}
            case "inspections" if isinstance(new := made_up.get("new"), dict):
                found["new"] = new | {"point": point, "equipment": equipment}
            case "works" if "ends" in made_up:
                found |= {"begins": iso(self.now), "ends": iso(self.now + 60 * MINUTE)}
        return found

    def _of(self, plant: str, kind: str) -> str | None:
        return next((str(member["id"]) for member in self.known[kind] if member["plant"] == plant), None)

    def _next(self, whose: str, members: list[Any]) -> Any:
        return members[next(self.served.setdefault(whose, count(self.first))) % len(members)]


async def objects_of(hall: StandIn, ask: Ask, token: str, first: int) -> Objects:
    """Fill the hall with something of every kind, in several states."""
    with_interlock(hall)
    plants = dict(hall.known.plants)
    duty = PledgeDuty(dt.time(9), day_of(hall.time) - dt.timedelta(days=3))
    area = CleaningArea("A1", Text("打磨间", "grinding"), "吸尘", "打磨班", "HOPPER_T-01", 24.0)
    plants[ALUMINIUM] = replace(plants[ALUMINIUM], pledge=duty)
    plants[WOOD] = replace(plants[WOOD], cleaning=(area,))
    hall.known = replace(hall.known, plants=plants)
    ledger = (await fill(hall)).ledger
    bypass(hall)
    plant, office = ask(OPERATOR), ask(INSPECTOR)
    await _declare(hall, plant, office)
    presences = await _on_duty(plant, office)
    read = {kind: (await _done(await ask(ADMIN).get(f"{API}/{name}?limit=200"))) for kind, name in LISTS.items()}
    known = {kind: found[LISTS[kind]] for kind, found in read.items()}
    known["presence"] = presences
    evidence = {}
    for at in PLACES:
        file = {"file": ("现场.pdf", PDF, "application/pdf")}
        evidence[at] = (await _done(await plant.post(f"{API}/evidence", data={"plant": at}, files=file)))["id"]
    written = await _done(await plant.get(f"{API}/instruments/{ledger}"))
    known["instrument"].sort(key=lambda member: member["id"] != str(ledger))
    return Objects(known, evidence, written["entries"][0]["id"], hall.time, token, first)


async def _declare(hall: StandIn, plant: httpx.AsyncClient, office: httpx.AsyncClient) -> None:
    """Works, a pledge, cleanings and bypasses: of each one that waits and one that went on."""
    now, later = iso(hall.time), iso(hall.time + 60 * MINUTE)
    work = {
        "kind": "hot-work", "area": "检修区", "description": "气割法兰", "begins": now, "ends": later,
        "contractor": "维修班", "person": "李工", "guardian": "张三", "measures": "灭火器两具",
    }  # fmt: skip
    for at in PLACES:
        waiting, approved = [await _done(await plant.post(f"{API}/works", json={"plant": at, **work})) for _ in "12"]
        assert waiting["state"] == "declared"
        await _done(await office.post(f"{API}/works/{approved['id']}/approve", json={"version": 1}))
    pledge = {"day": str(day_of(hall.time)), "assessment": "正常", "person": "陈总", "running": 2, "stopped": 0}
    await _done(await plant.post(f"{API}/pledges", json={"plant": ALUMINIUM, **pledge}))
    cleaning = {"plant": WOOD, "area": "A1", "done": now, "cleaner": "李工", "result": "无可见积尘"}
    for _ in "12":
        await _done(await plant.post(f"{API}/cleanings", json=cleaning))
    wanted = {"plant": STEEL, "point": LANCE, "reason": "更换变送器", "measure": "专人监护", "hours": 2}
    made = await _done(await plant.post(f"{API}/bypasses", json=wanted))
    await _done(await office.post(f"{API}/bypasses/{made['id']}/approve", json={"version": 1}))


async def _on_duty(plant: httpx.AsyncClient, office: httpx.AsyncClient) -> list[dict[str, Any]]:
    """A call and people who signed in, where the settings have a roster; returns the sign-ins."""
    presences = []
    for at in (STEEL, WOOD):
        await _done(await office.post(f"{API}/calls/roll", json={"plant": at}))
        for person in ("张三", "王五"):
            body = {"plant": at, "position": "值班长", "person": person}
            presences.append(await _done(await plant.post(f"{API}/duty/sign-in", json=body)))
    return presences


async def _done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
