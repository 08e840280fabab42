"""The verb explain: every code, its page, and what is no code."""

from __future__ import annotations

import json

from withstand.cli import main
from withstand.model.finding_codes import CODES
from withstand.model.finding_examples import page_of


def test_a_code_is_explained_with_an_example_its_mend_and_its_page(capsys) -> None:
    assert main(["explain", "e103"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    rule = CODES["E103"]
    for part in (f"E103 {rule.title}", rule.why, rule.fix, "[20 %]", page_of("E103")):
        assert part in said


def test_every_code_can_be_explained_as_json(capsys) -> None:
    for code, rule in CODES.items():
        assert main(["explain", code, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["title"] == rule.title
        assert document["example"]["code"] == code


def test_what_is_no_code_is_refused_with_a_near_one(capsys) -> None:
    assert main(["explain", "E1044"]) == 2
    assert "Did you mean E104?" in " ".join(capsys.readouterr().err.split())
