"""`yujing platform test` tries a connection step by step, and says what failed and what to change."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway_sim.provinces import STAND_INS
from gateway_sim.stand_in import Mode, StandIn
from ingest.cli.main import app
from ingest.delivery.platform.loading import load_profile, shipped
from ingest.delivery.platform.trial import _clock_s
from ingest.delivery.posting import Reply
from tests.ingest.delivery.platform.stand_ins import as_toml, settings_for, started
from tests.small_plant import PLANT, TEXT

POINTS = ("CO-01", "CO-02")


def written(name: str, platform: StandIn, folder: Path, **more: object) -> Path:
    """A settings file for the stand-in, with the small plant."""
    (folder / "plants").mkdir(exist_ok=True)
    (folder / "plants" / "small.toml").write_text(TEXT, encoding="utf-8")
    given = settings_for(name, platform, folder, PLANT, POINTS) | more
    file = folder / "yujing.toml"
    file.write_text(f'plants = "plants"\n{as_toml("connectors.platform", given)}', encoding="utf-8")
    return file


def tried(file: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["platform", "test", "--config", str(file), *options])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", list(STAND_INS))
def test_a_right_connection_is_found_right_and_a_record_of_each_kind_arrives(name: str, tmp_path: Path) -> None:
    """Twice: made-up records are new ones each time."""
    with started(name, tmp_path) as platform:
        file = written(name, platform, tmp_path)
        for times in (1, 2):
            code, output = tried(file, "--send")
            assert (code, "✗" in output) == (0, False), output
            sections = load_profile(name, "profile").sections
            kinds = len(sections)
            assert output.count("已接收") == kinds
            arrived = (
                len(platform.received) + platform.duplicates
            )  # readings of the same second, where nothing has an id
            assert arrived == times * (2 * kinds - 1), "an alarm and a warning end, too"
        assert ("联调测试，请忽略" in str(platform.received)) is ("alarm" in sections)


@pytest.mark.parametrize("name", list(STAND_INS))
def test_without_being_asked_to_it_sends_no_record_and_shows_each(name: str, tmp_path: Path) -> None:
    with started(name, tmp_path) as platform:
        code, output = tried(written(name, platform, tmp_path))
        assert code == 0, output
        assert "未发送，明文为 {" in output
        assert "加 --send" in output
        assert platform.received == []


def test_a_wrong_key_is_told_in_the_platforms_words_with_what_to_change(tmp_path: Path) -> None:
    name = "hebei-dust-v1.1"
    with started(name, tmp_path) as platform:
        file = written(name, platform, tmp_path)
        platform.files["key"].write_text("whatever", encoding="utf-8")
        code, output = tried(file, "--send")
    assert code == 1
    assert "未被接收：接收方应答 HTTP 400 Bad Request：CIPHER: data: padding is wrong" in output
    assert "按平台原话改" in output


def test_a_wrong_secret_gives_no_token(tmp_path: Path) -> None:
    with started("steel-module", tmp_path) as platform:
        file = written("steel-module", platform, tmp_path)
        platform.files["appsecret"].write_text("hunter2", encoding="utf-8")
        code, output = tried(file)
    assert code == 1
    assert "令牌 token: 没有得到令牌：平台拒收：code = 5000, SECRET" in output
    assert "核对 appid 与 appsecret" in output
    assert "hunter2" not in output


def test_points_without_a_code_are_named(tmp_path: Path) -> None:
    with started("steel-module", tmp_path) as platform:
        file = written("steel-module", platform, tmp_path)
        codes = tmp_path / "codes.toml"
        codes.write_text(codes.read_text().replace('"CO-02" = "BIT-2"\n', ""), encoding="utf-8")
        code, output = tried(file)
        assert code == 1
        assert "1 个测点没有编码：small CO-02" in output
        codes.write_text(codes.read_text() + '"CO-02" = false\n', encoding="utf-8")
        assert tried(file)[0] == 0


def test_the_check_doubts_points_without_a_code_and_names_of_nothing(tmp_path: Path) -> None:
    with started("hebei-dust-v1.1", tmp_path) as platform:
        file = written("hebei-dust-v1.1", platform, tmp_path)
        assert "codes.toml" not in checked(file)
        codes = tmp_path / "codes.toml"
        right = codes.read_text()
        codes.write_text(right.replace('"CO-02"', '"CO-20"') + right.replace('"small"', '"smal"'), encoding="utf-8")
        output = checked(file)
        assert "small.points = （缺少）(missing)" in output
        assert "1 have none (CO-02): reports of readings leave them out" in output
        assert "small.points.CO-20 = CO-20" in output
        assert "smal = smal" in output
        assert "near: small" in output
        codes.write_text(right.replace('"CO-02" = ', '"CO-02" = false #'), encoding="utf-8")
        assert "codes.toml" not in checked(file)
        file = written("hebei-dust-v1.1", platform, tmp_path, plants=["smal"])
        assert "connectors.platform.plants = smal" in checked(file)


def checked(file: Path) -> str:
    result = CliRunner().invoke(app, ["check", "--offline", "--config", str(file)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("more", "mode", "detail", "advice"),
    [
        ({"url": "https://127.0.0.1:1/x"}, Mode.UP, "没有应答：无法连接：", "核对网址、端口、防火墙"),
        ({}, Mode.CLOSE, "没有应答：应答完成前连接中断", "平台断开"),
        ({"timeout_s": 1}, Mode.HANG, "没有应答：1 秒内没有完整应答", "加大 timeout_s"),
        ({"url": "{url}/elsewhere"}, Mode.UP, "有应答，HTTP 404", "核对 url"),
    ],
)
def test_an_address_that_does_not_answer_ends_the_trial(
    tmp_path: Path, more: dict[str, object], mode: Mode, detail: str, advice: str
) -> None:
    name = "tianjin-dust-sm4"
    with started(name, tmp_path) as platform:
        more = {key: value.format(url=platform.url) if isinstance(value, str) else value for key, value in more.items()}
        file = written(name, platform, tmp_path, **more)
        platform.mode = mode
        code, output = tried(file)
    assert code == 1
    assert detail in output
    assert advice in output
    assert "明文" not in output


def test_settings_that_cannot_be_used_are_named_as_by_yujing_check(tmp_path: Path) -> None:
    with started("steel-module", tmp_path) as platform:
        file = written("steel-module", platform, tmp_path)
        code, output = tried(file, "--profile", "hebei-dust")
        assert (code, "hebei-dust-v1.1" in output) == (2, True)
    file.write_text('plants = "plants"\n', encoding="utf-8")
    code, output = tried(file)
    assert (code, "[connectors.platform]" in output) == (2, True)


def test_a_profile_that_cannot_be_read_makes_no_secret_wrong(tmp_path: Path) -> None:
    """What form a key has is the profile's to say; one that is not there is a fault whatever the profile."""
    with started("hebei-dust-v1.1", tmp_path) as platform:
        file = written("hebei-dust-v1.1", platform, tmp_path)
        for name in ("nope", "away.toml"):
            code, output = tried(file, "--profile", name)
            assert (code, name in output, "connectors.platform.key" in output) == (2, True, False), output
        platform.files["key"].unlink()
        assert "connectors.platform.key" in tried(file, "--profile", "nope")[1]


def test_a_file_of_codes_for_a_profile_without_codes_is_one_fault(tmp_path: Path) -> None:
    with started("generic-json", tmp_path) as platform:
        (tmp_path / "issued.toml").write_text('[small]\na = "1"\nb = "2"\n', encoding="utf-8")
        file = written("generic-json", platform, tmp_path, codes="issued.toml")
        code, output = tried(file)
    assert code == 2
    assert "connectors.platform.codes" in output
    assert "此协议没有分配的编码" in output
    assert "1 处错误" in output


@pytest.mark.parametrize(("ahead_s", "known"), [(-7200, True), (0, True), (7200, True), (0, False)])
def test_the_platforms_clock_is_read_where_it_tells_it(ahead_s: int, *, known: bool) -> None:
    headers = {b"date": formatdate(time.time() - ahead_s, usegmt=True).encode()} if known else {b"date": b"soon"}
    found = _clock_s(Reply(200, headers, b""))
    assert (found is not None) is known
    assert found is None or abs(found - ahead_s) < 60


def test_the_profiles_are_listed_with_what_each_part_rests_on() -> None:
    output = CliRunner().invoke(app, ["platform", "profiles"]).output
    for name in shipped():
        assert f"{name}: " in output
    assert "found 查到" in output
    assert "default 本产品默认" in output
