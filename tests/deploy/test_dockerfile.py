"""The image: built from the lock file alone, run by nobody in particular."""

from __future__ import annotations

import re

from tests.deploy.written import ROOT, SHIPPED, stages


def test_both_stages_start_from_the_same_pinned_release() -> None:
    bases = {dict(stage)["FROM"].split()[0] for stage in stages()}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())


def test_every_package_is_checked_against_the_lock_file() -> None:
    """The first pip checks hashes and takes no source packages; later ones cannot reach the network."""
    runs = [rest for word, rest in stages()[0] if word == "RUN"]
    pips = [command for run in runs for command in run.split("&&") if "pip" in command.split()[0]]
    assert "--require-hashes" in pips[0]
    assert "--only-binary=:all:" in pips[0]
    assert all("--no-index" in command for command in pips[1:])
    assert len(pips) == 4
    assert '/dist/yujing-*.whl)[all]"' in pips[-1], "what compose.yaml and its settings may name: every extra"


def test_the_final_image_has_no_compiler_and_runs_as_a_user() -> None:
    final = stages()[-1]
    assert not any("apt-get" in rest or "pip" in rest for _, rest in final)
    words = [word for word, _ in final]
    assert dict(final)["USER"] == "yujing"
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_copied_sources_are_let_through_to_the_builder_and_secrets_are_not() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in rules
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {word for stage in stages()[:1] for kind, rest in stage if kind == "COPY" for word in rest.split()[:-1]}
    assert allowed == copied
    assert all((ROOT / name).exists() for name in copied)
    assert {name for name in allowed if name.startswith("deploy")} == set(SHIPPED)  # each by its name
