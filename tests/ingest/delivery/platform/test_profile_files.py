"""A profile file says all of a province's protocol, and nonsense in it is refused by file, key and value."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ingest.base.config import Config
from ingest.delivery.errors import Unmappable
from ingest.delivery.https import Answer
from ingest.delivery.platform.answers import Ruling
from ingest.delivery.platform.codes import IssuedCodes, load_codes
from ingest.delivery.platform.digest import digest_bytes
from ingest.delivery.platform.loading import load_profile, shipped
from ingest.delivery.platform.model import ProfileFile
from ingest.delivery.platform.parts import Part
from ingest.delivery.platform.profile import Post
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.outbox import Message
from tests.ingest.delivery.outbox import PLANT, alarm_message, readings_message, warning_message
from tests.ingest.delivery.platform.profiles import APPID, APPSECRET, IV, KEY, changed_copy, profile, protocol

COUNTY = Path(__file__).parent / "county.toml"
SIGN_IN = """[sign_in]
path = "/t"
request = { n = "content" }
answer = "data"
header = "Authorization"
valid_s = 60
confidence = "default"
source = "made for the tests"

"""
CODES = IssuedCodes({PLANT.id: {"enterprise": "1234", "points": {"CW_IN_P-01": "123401", "CAST_LEN-01": "123402"}}})
FIRST = str(alarm_message(1).id)


def variant(folder: Path, *changes: tuple[str, str]) -> str:
    return str(changed_copy(COUNTY, folder / "province.toml", *changes))


def county() -> ProfileFile:
    return profile(str(COUNTY))


def opened(post: Post | None) -> Any:
    """What the county reads: by the library's own decryptor and the constants of the tests."""
    assert post is not None
    body = json.loads(post.body)
    decryptor = Cipher(algorithms.AES(bytes.fromhex(KEY)), modes.CBC(bytes.fromhex(IV))).decryptor()
    unpadder = PKCS7(128).unpadder()
    padded = decryptor.update(base64.b64decode(body["body"])) + decryptor.finalize()
    return json.loads(unpadder.update(padded) + unpadder.finalize())


def parts(config: Config, at: str = "") -> Iterator[tuple[str, Part]]:
    for name, value in config:
        if isinstance(value, Part):
            yield at + name, value
        if isinstance(value, Config):
            yield from parts(value, f"{at}{name}.")


@pytest.mark.parametrize("name", list(shipped()))
def test_every_profile_of_the_service_bears_its_name_and_says_of_each_part_where_it_comes_from(name: str) -> None:
    form = load_profile(name, "profile")
    assert form.profile.name == name
    marked = dict(parts(form))
    assert {"profile", "envelope", "seal", "answer"} <= marked.keys()
    for part in marked.values():
        assert "regulation" not in part.source or part.confidence == "found"


def test_a_province_may_differ_in_every_part(tmp_path: Path) -> None:
    """Path, nesting, codes, cipher, vector, encoding, digest, headers, numbers and what is left out."""
    wrapped = protocol(county(), CODES).wrap("alarm", [alarm_message(1)])
    post = wrapped.post
    assert post is not None
    body = json.loads(post.body)
    assert post.path == "/alarms"
    assert (list(body), body["id"]) == (["id", "body", "sign"], "1234")
    sign = digest_bytes("HMAC-SM3", body["body"].encode(), APPSECRET.encode()).hex()
    assert post.headers == {"content-type": "application/json", "x-app": APPID, "x-sign": sign}
    assert body["sign"] == sign
    item = {"n": FIRST, "at": {"point": "123401", "plant": PLANT.name.zh}, "state": 4, "value": 0.1}
    assert opened(post) == {"data": {"enterprise": "1234", "list": [item]}}


def test_a_report_may_be_a_bare_list_of_numbers_as_text_without_what_has_no_value() -> None:
    wrapped = protocol(county(), CODES).wrap("readings", [readings_message(1)])
    assert opened(wrapped.post) == [{"n": str(readings_message(1).id), "point": "123401", "value": "0.35"}]
    assert wrapped.left_out == {"not valid": 1}


def events(*kinds: AlarmEventKind) -> list[Message]:
    return [alarm_message(seq, kind) for seq, kind in enumerate(kinds, start=1)]


def test_only_the_events_and_rules_a_province_has_a_form_for_are_reported() -> None:
    sender = protocol(county(), CODES)
    wrapped = sender.wrap("alarm", events(AlarmEventKind.RAISED, AlarmEventKind.SHELVED, AlarmEventKind.RETURNED))
    assert [item["state"] for item in opened(wrapped.post)["data"]["list"]] == [4, 0]
    assert wrapped.left_out == {"event not taken": 1}
    other = alarm_message(1)
    other = replace(other, body={**other.body, "alarm": {**other.body["alarm"], "rule": "STUCK"}})
    assert sender.wrap("alarm", [other]).post is None
    assert sender.wrap("alarm", [other]).left_out == {"rule not taken": 1}
    assert not sender.takes("warning")
    assert protocol(profile()).takes(warning_message(1).kind)


def test_a_point_without_a_code_is_reported_only_once_it_has_one() -> None:
    """On file as `false`: the authority issued none. Not on file: somebody has to say, and nothing is passed over."""
    none = IssuedCodes({PLANT.id: {"enterprise": "1234", "points": {"CW_IN_P-01": False}}})
    assert protocol(county(), none).wrap("alarm", [alarm_message(1)]).left_out == {"no code by the authority": 1}
    unknown = IssuedCodes({PLANT.id: {"enterprise": "1234", "points": {}}})
    with pytest.raises(Unmappable, match=f"^the file of codes has no point for {PLANT.id} CW_IN_P-01$"):
        protocol(county(), unknown).wrap("alarm", [alarm_message(1)])


def test_one_point_without_a_code_does_not_hold_back_the_readings_of_its_plant() -> None:
    """The others go; it is named and counted. A report of nothing else waits for somebody to say what holds."""
    known = {"CW_IN_P-01": "123401"}
    partly = IssuedCodes({PLANT.id: {"enterprise": "1234", "points": known}})
    message, body = readings_message(1), readings_message(1).body
    (first, _), second = body["readings"], "CAST_LEN-01"
    both = replace(message, body={**body, "readings": [first, {**first, "point": second}]})
    wrapped = protocol(county(), partly).wrap("readings", [both, both])
    assert wrapped.post is not None
    assert wrapped.left_out == {"not in the file of codes": 2}
    assert wrapped.uncoded == [f"{PLANT.id} {second}"] * 2
    of_first = replace(message, body={**body, "readings": [first]})
    alone = protocol(county(), CODES).wrap("readings", [of_first]).post
    assert protocol(county(), partly).wrap("readings", [both]).post == alone
    none = IssuedCodes({PLANT.id: {"enterprise": "1234", "points": {}}})
    with pytest.raises(Unmappable, match="the file of codes has no point for"):
        protocol(county(), none).wrap("readings", [both])


@pytest.mark.parametrize(
    ("status", "body", "ruling", "why"),
    [
        (200, {"result": {"state": True}}, Ruling.ACCEPTED, None),
        (200, {"result": {"state": "yes"}}, Ruling.ACCEPTED, None),
        (200, {"result": {"state": 1}, "words": "no"}, Ruling.REJECTED, "the platform refused: result.state = 1, no"),
        (200, {"result": {"state": "busy"}}, Ruling.LATER, "the platform wants it later: result.state = busy"),
        (200, {"result": {"state": "unknown sender"}}, Ruling.FATAL, "the platform refused the settings, not"),
        (200, {"result": None}, Ruling.REJECTED, "the platform refused: result.state = None"),
        (400, {"words": f"no {APPID}"}, Ruling.REJECTED, "HTTP 400 Bad Request: no ***"),
        (401, {}, Ruling.FATAL, "HTTP 401 Unauthorized (the settings, not the report)"),
        (503, {}, Ruling.LATER, "HTTP 503 Service Unavailable"),
    ],
)  # fmt: skip
def test_what_counts_as_yes_as_later_and_as_no_is_the_provinces(
    status: int, body: dict[str, Any], ruling: Ruling, why: str | None
) -> None:
    judged = protocol(county(), CODES).judge(Answer(status, None, json.dumps(body).encode()))
    assert judged.ruling is ruling
    assert (judged.why or "").startswith(why or "")
    assert (judged.why is None) is (why is None)


def test_items_that_are_refused_by_name_are_refused_in_the_platforms_own_words() -> None:
    answer = {"result": {"state": True, "bad": [{"n": FIRST, "why": f"未知测点 {APPSECRET}"}, {"why": "?"}]}}
    judged = protocol(county(), CODES).judge(Answer(200, None, json.dumps(answer).encode()))
    assert judged.rejected == {FIRST: "the platform refused it: 未知测点 ***"}


@pytest.mark.parametrize(
    ("old", "new", "key", "value", "expected"),
    [
        ('cipher = "AES-CBC"', 'cipher = "RC4"', "seal.cipher", "'RC4'", "'SM4-CBC', 'SM4-ECB', 'AES-CBC'"),
        ('cipher = "AES-CBC"', 'cipher = "none"', "seal", "(a table)", "padding 'none' and no fixed_vector"),
        ('padding = "PKCS7"', 'padding = "none"', "seal", "(a table)", "padding 'PKCS7' or 'zero' with a cipher"),
        ("bytes = 16", "bytes = 8", "seal", "(a table)", "bytes to be one of 16, 24, 32"),
        ('encodings = ["base64"]', "encodings = []", "seal", "(a table)", "at least one of encodings"),
        ('encodings = ["base64"]', 'encodings = ["rot13"]', "seal.encodings.0", "'rot13'", "'hex-upper', 'hex-lower'"),
        ('= "000102030405060708090a0b0c0d0e0f"', '= "0001"', "seal.fixed_vector", "'0001'", "32 hex digits (16 bytes)"),
        ('success = [true, "yes"]', "success = []", "answer.success", "[]", ""),
        ('retry = ["busy"]', 'retry = ["yes"]', "answer", "(a table)", "'yes' in no more than one of success"),
        ('sent_as = "n"', 'sent_as = "m"', "answer.rejected.sent_as", "'m' (alarm)", "the name of an item's field"),
        ('body = "content"', 'body = "digest"', "envelope.fields", "[]", "exactly one field with the path content"),
        ('x-app = "setting.appid"', 'x-app = "content"', "envelope.headers.x-app", "'content'", "one of digest"),
        ('x-app = "setting.appid"', 'x-app = "setting.iv"', "envelope.headers.x-app", "'setting.iv'", "one of digest"),
        ('begins = "enterprise"', 'begins = "plant"', "codes.point.begins", "'plant'", "one of enterprise"),
        ('pattern = "[0-9]{4}"', 'pattern = "["', "codes.enterprise", "(a table)", "a regular expression"),
        ('point = "issued.point"', 'point = "issued.place"', "readings.item.point", "'issued.place'", "one of enterp"),
        ('events = ["raised"', 'events = ["rised"', "alarm.events", "'rised'", "one of raised, returned"),
        ('items = "data.list"', 'items = "data"', "alarm", "(a table)", "data not both as a field and as an object"),
        ("[readings.head]", '[readings.head]\nx = "batch.id"', "readings", "(a table)", "a name in items, or an empty"),
        ("otherwise = 3", 'otherwise = "alarm.colour"', "alarm.item.state", "'alarm.colour'", "one of alarm.ack"),
        ("decimals = 1", "decimals = 11", "alarm.item.value.decimals", "11", ""),
        ("least_s = 10", "least_s = 60", "readings.period", "(a table)", "least_s no greater than most_s"),
        ("[readings.period]", "[alarm.period]", "alarm", "(a table)", "valid_only and period of readings only"),
        ('confidence = "default"', 'confidence = "certain"', "profile.confidence", "'certain'", "'found', 'recalled'"),
        ('source = "made for the tests"', 'source = "?"', "profile.source", "'?'", ""),
        ("[answer]", SIGN_IN + "[answer]", "sign_in.request.n", "'content'", "one of digest, issued.enterprise"),
        ("[answer]", SIGN_IN.replace("= 60", "= 1") + "[answer]", "sign_in.valid_s", "1", ""),
        ("otherwise = 3", 'unlisted = "drop"', "alarm.item.state.otherwise.unlisted", "'drop'", "'refuse' or 'empty'"),
        ("decimals = 1", 'unlisted = "empty"', "alarm.item.value", "(a table)", "otherwise and unlisted only beside"),
        ("decimals = 1", 'only = { path = "signal", among = ["A"] }', "alarm.item.value.only.path", "'signal'", "one"),
        ("decimals = 1", 'only = { path = "alarm.rule", among = [] }', "alarm.item.value.only.among", "[]", ""),
        ("[answer]", "[answr]", "answer", "(missing)", "a table with confidence, source"),
        ("[answer]", "[answer", "(file)", "(content)", "TOML: "),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_file_key_value_and_what_is_expected(
    tmp_path: Path, old: str, new: str, key: str, value: str, expected: str
) -> None:
    file = variant(tmp_path, (old, new))
    with pytest.raises(InvalidConfig) as caught:
        load_profile(file, "connectors.platform.profile")
    fault = caught.value.faults[0]
    assert (fault.file, fault.key, fault.value) == (file, key, value)
    assert fault.expected.en.startswith(expected)
    assert fault.expected.zh


def test_an_unknown_profile_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig) as caught:
        load_profile("tianjin-dust", "connectors.platform.profile")
    assert "tianjin-dust-sm4" in str(caught.value)
    with pytest.raises(InvalidConfig, match="No such file"):
        load_profile(str(tmp_path / "none.toml"), "connectors.platform.profile")


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[p]\nenterprise = 1234\n", "p.enterprise", "a text of the form [0-9]{4}"),
        ("[p]\npoints = { a = '123401' }\n", "p.enterprise", "a text of the form"),
        ("[p]\nenterprise = '1234'\npoint = 'x'\n", "p.point", "no such key here; there are: enterprise, points"),
        ("[p]\nenterprise = '1234'\npoints = { a = '12340' }\n", "p.points.a", "a text of the form [0-9]{6}"),
        ("[p]\nenterprise = '1234'\npoints = { a = '999901' }\n", "p.points.a", "a code that begins with enterpr"),
        ("[p]\nenterprise = '1234'\npoints = { a = '123401', b = '123401' }\n", "p.points.b", "another code than"),
        ("[p]\nenterprise = '1234'\npoints = { a = true }\n", "p.points.a", "a text of the form"),
        ("p = 1\n", "p", "a table of a plant"),
        ("[p\n", "(file)", "TOML: "),
    ],
)  # fmt: skip
def test_a_code_that_cannot_be_the_authoritys_is_refused(tmp_path: Path, text: str, key: str, expected: str) -> None:
    file = tmp_path / "codes.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        load_codes(file, county().codes, "connectors.platform.codes")
    fault = caught.value.faults[0]
    assert (fault.file, fault.key) == (str(file), key)
    assert fault.expected.en.startswith(expected)


def test_a_profile_with_codes_needs_their_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match=r"connectors\.platform\.codes = \(missing\): expected a file of the codes"):
        load_codes(None, county().codes, "connectors.platform.codes")
    good = tmp_path / "codes.toml"
    good.write_text('[p]\nenterprise = "1234"\npoints = { a = "123401", b = false }\n', encoding="utf-8")
    codes = load_codes(good, county().codes, "connectors.platform.codes")
    assert codes.of("p", "a") == {"enterprise": "1234", "point": "123401"}
    assert codes.of("p", "b")["point"] is False
    assert codes.of("q", "a") == {}
