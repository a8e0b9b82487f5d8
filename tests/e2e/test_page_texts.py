# SPDX-License-Identifier: Apache-2.0
"""The live page's texts: every one in every language, none outside the tables, all words of the server known."""
import re
import shutil
import subprocess

import pytest
from product import ROOT

CONSOLE = ROOT / "apps" / "console"
WORDS = CONSOLE / "src" / "words"


def check(source):
    answer = subprocess.run(
        ["node", "check-texts.mjs", source], cwd=CONSOLE, capture_output=True, text=True, timeout=60, check=False
    )
    return answer.returncode, answer.stderr


def test_every_text_is_there_in_both_languages():
    assert check(CONSOLE / "src") == (0, "")


@pytest.mark.parametrize(
    "file, before, after, complaint",
    [
        ("words/zh.ts", '  "alarms.title": "告警",\n', "", 'words/zh.ts: "alarms.title" is missing'),
        ("words/en.ts", '  "alarms.title": "Alarms",\n', "", 'words/en.ts: "alarms.title" is missing'),
        ("words/zh.ts", "{time} 触发", "触发", '"alarms.raised" has other values'),
        ("live.ts", 't("stream.lost")', '"connecting again"', 'the text "connecting again" stands outside'),
        ("live.ts", 't("stream.lost")', '"Lost"', 'the text "Lost" stands outside'),
        ("live.ts", 't("stream.lost")', '"离线"', 'the text "离线" stands outside'),
        ("audit.ts", 't("audit.none")', "`Nothing ${rows} yet.`", "stands outside"),
        ("index.html", ' data-text="nodes.title"></h2>', ">Edge nodes</h2>", 'the text "Edge nodes" stands outside'),
        ("index.html", ' data-text="nodes.title"', ' data-text="nodes.titel"', '"nodes.titel" is missing'),
    ],
)
def test_a_forgotten_text_is_found(tmp_path, file, before, after, complaint):
    shutil.copytree(CONSOLE / "src", tmp_path / "src")
    path = tmp_path / "src" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    status, complaints = check(tmp_path / "src")
    assert status == 1 and complaint in complaints, complaints


def test_every_operation_of_a_project_has_its_sentence():
    known = set(re.findall(r'"op\.([\w.]+)"', (WORDS / "en.ts").read_text()))
    named = set()
    for path in (ROOT / "include" / "ecp").glob("*/operations.hpp"):
        named |= set(re.findall(r'Operation \w+\{"([\w.]+)"\}', path.read_text()))
    of_others = {name for name in named if name.split(".")[0] in ("session", "user", "organization")}
    of_others.add("platform.bootstrap")  # Neither stands in any project's log.
    assert named - of_others - known == set()
    assert known - named == {"access.refused", "unknown"}  # Of the refusals; of an OEM.


def test_every_reason_with_words_of_its_own_exists_and_has_its_values():
    known = {}
    for line in (ROOT / "docs" / "errors.md").read_text().splitlines():
        if found := re.match(r"\| \d+ \| `([\w.]+)` \|.*\| (.*) \|$", line):
            known[found[1]] = set(re.findall(r"\{(\w+)\}", found[2]))
    words = re.findall(r'"(\w+\.\w+)": "(.*)"', (WORDS / "reasons.ts").read_text())
    assert len(words) > 40
    for symbol, text in words:
        assert symbol in known, symbol
        assert set(re.findall(r"\{(\w+)\}", text)) <= known[symbol], symbol
