"""A message that its receiver rejects is an alarm until somebody at a command line resends it, beside the service."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from ingest.domain.model.outbox import Message
from ingest.domain.model.plant import SERVICE
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from tests.e2e.service import Service
from tests.ingest.delivery.outbox import alarm_message
from tests.ingest.delivery.receiver import Receiver, Reply, Request
from tests.servers import free_port

HOOK = """
[[connectors.webhooks]]
name = "inspector"
url = "{url}"
secret = {{ file = "hook" }}
"""


def accepted(receiver: Receiver, *messages: Message) -> list[str]:
    """The ids of these messages in the order in which they were accepted."""
    names = {str(message.id) for message in messages}
    return [number for request in receiver.accepted if (number := request.headers["webhook-id"]) in names]


def rejected_alarms(service: Service) -> list[str]:
    """The states of the alarms on dead letters."""
    alarms = service.get("/api/v1/alarms", plant=SERVICE)["alarms"]
    return [alarm["state"] for alarm in alarms if alarm["point"] == "DEAD_LETTERS"]


def test_what_a_receiver_rejects_is_an_alarm_until_it_is_resent_beside_the_service(tmp_path: Path) -> None:
    """The next one of its alarm is not held back; the resent one arrives under its id; who did it is on record."""
    (tmp_path / "hook").write_text("whsec_YSBrZXkgb2YgdGhlIHRlc3RzIG9mIHllYXJseSB1c2U=")
    bad, good = (replace(alarm_message(0), id=uuid4()) for _ in range(2))

    def judge(request: Request) -> Reply:
        disliked = request.headers["webhook-id"] == str(bad.id)
        return Reply(422, body='{"msg": "未知测点"}'.encode()) if disliked else Reply()

    with (
        Receiver(judge) as receiver,
        Service(tmp_path, ("127.0.0.1", free_port()), HOOK.format(url=receiver.url)) as service,
    ):
        config = ("--config", str(service.config))
        assert service.stop() == 0
        database = Database(tmp_path / "data" / "state.db")
        engine = EngineStore(database)
        engine.commit(engine.load().cursor, [], [bad, good])
        database.close()
        service.start()
        service.until(lambda: accepted(receiver, bad, good) == [str(good.id)], "the next one of its alarm")
        service.until(lambda: rejected_alarms(service) == ["unacknowledged"], "the alarm")
        listing = json.loads(service.run("outbox", "list", "--dead", "--json", *config).stdout)
        (letter,) = listing["messages"]
        assert (letter["id"], letter["attempts"], letter["failure"]["values"]["words"]) == (
            str(bad.id),
            3,
            '{"msg": "未知测点"}',
        )
        receiver.answer = lambda _: Reply()
        resent = service.run("outbox", "resend", str(letter["seq"]), *config)
        assert (resent.returncode, "已重发 sent again: 1" in resent.stdout) == (0, True), resent
        service.until(lambda: accepted(receiver, bad, good) == [str(good.id), str(bad.id)], "the resent one")
        again = service.run("outbox", "resend", str(letter["seq"]), *config)
        assert (again.returncode, "none of these messages is rejected" in again.stderr) == (1, True)
        assert service.run("outbox", "retry", "--connector", "inspector", *config).returncode == 0
        service.until(lambda: rejected_alarms(service) == ["returned-unacknowledged"], "its end")
        (act,) = service.get("/api/v1/audit", kind="message")["acts"]
        assert service.stop() == 0
    assert accepted(receiver, bad, good) == [str(good.id), str(bad.id)]
    assert (act["actor"], act["role"], act["action"], act["subject"]) == ("operator", "admin", "resent", str(bad.id))
