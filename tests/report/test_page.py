"""The page: one file, nothing from outside, numbers from the results, hostile names harmless."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from pages_read import CHROMIUM, LOADS, Parsed, browse
from withstand.report.contents import Contents
from withstand.report.markup import inline_json
from withstand.report.page import page
from withstand.report.words import percent

NETWORKS = ("robots", "tiny", "firms", "without_prices", "without_runs", "hostile")
WITH_PARTNERS = ("robots", "firms")  # in the others only one region could be one
ANCHORS = ("headline", "tiers", "chokepoints", "exposure", "coverage", "time", "risk", "replay",
           "losses-range", "survival", "assumptions", "method")  # fmt: skip


@pytest.fixture(scope="module")
def pages(request: pytest.FixtureRequest) -> dict[str, str]:
    return {name: page(request.getfixturevalue(name)).decode() for name in NETWORKS}


@pytest.fixture(scope="module")
def parsed(pages: dict[str, str]) -> dict[str, Parsed]:
    return {name: Parsed(text) for name, text in pages.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gets_all_sections_with_a_title_each(
    parsed: dict[str, Parsed], name: str
) -> None:
    sections = [a["id"] for tag, a in parsed[name].elements if tag == "section"]
    titles = [a for tag, a in parsed[name].elements if tag == "h2"]
    links = [a["href"] for tag, a in parsed[name].elements if tag == "a" and "rel" not in a]
    assert tuple(s for s in sections if s not in ("people", "partners")) == ANCHORS
    assert ("partners" in sections) == (name in WITH_PARTNERS)
    assert ("people" in sections) == (name == "robots")  # the others list no occupations
    assert len(titles) == len(sections)
    assert {f"#{anchor}" for anchor in sections} <= set(links)


def test_the_headline_numbers_are_those_of_the_results(
    robots: Contents, parsed: dict[str, Parsed]
) -> None:
    text = parsed["robots"].text
    exposure, worst = robots.exposure, robots.losses.row(0, named=True)
    for share in (exposure.tier1_home_share, exposure.home_share, worst["none"], worst["shared"]):
        assert percent(share) in text
    assert f"Without {worst['name']}, {percent(worst['none'])} of output could go on" in text
    assert f"{robots.runs[0].loss_in_periods:.1f} weeks of sales" in text


def test_no_number_of_an_example_stands_in_the_source() -> None:
    folder = Path(page.__code__.co_filename).parent
    for file in folder.glob("*.py"):
        without_examples = re.sub(r'""".*?"""', "", file.read_text(), flags=re.DOTALL)
        assert not re.search(r"99\.1|38\.8|72\.1|26\.7|Japan|German|robot", without_examples), file


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_loaded_from_outside(parsed: dict[str, Parsed], name: str) -> None:
    for tag, attributes in parsed[name].elements:
        for attribute in LOADS & set(attributes):
            value = attributes[attribute] or ""
            is_source = tag == "a" and attributes.get("rel") == "noreferrer noopener"
            assert value.startswith("#") or is_source, (tag, value)
            if is_source:
                assert re.match(r"https?://", value), value
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "form"), tag
        assert not [a for a in attributes if a.startswith("on")], attributes


def test_styles_ask_for_nothing(pages: dict[str, str]) -> None:
    style = re.findall(r"<style>(.*?)</style>", pages["robots"], flags=re.DOTALL)
    assert len(style) == 1
    assert "url(" not in style[0]
    assert "@import" not in style[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_policy_names_the_two_scripts_and_no_other(
    parsed: dict[str, Parsed], name: str
) -> None:
    metas = [a for tag, a in parsed[name].elements if tag == "meta"]
    policy = next(a["content"] for a in metas if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    rules = policy.split("script-src ")[1].split(";")[0]
    assert "unsafe" not in rules
    code = [text for attributes, text in parsed[name].scripts if "type" not in attributes]
    hashes = [base64.b64encode(hashlib.sha256(c.encode()).digest()).decode() for c in code]
    assert rules.split() == [f"'sha256-{h}'" for h in hashes]
    assert len(hashes) == 2


@pytest.mark.parametrize("name", NETWORKS)
def test_charts_are_data_that_parses_and_each_has_its_place(
    parsed: dict[str, Parsed], name: str
) -> None:
    places = {a["id"] for tag, a in parsed[name].elements if a.get("class") == "chart"}
    charts = {a["data-chart"]: text for a, text in parsed[name].scripts if "data-chart" in a}
    assert set(charts) == places
    assert len(charts) >= 3
    for text in charts.values():
        assert {"data", "layout"} <= set(json.loads(text))


def test_inline_json_cannot_end_its_script() -> None:
    text = inline_json({"</script><!--": "\u2028&"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"</script><!--": "\u2028&"}


def test_hostile_names_are_text_everywhere(parsed: dict[str, Parsed]) -> None:
    """The parser would see an element or an attribute more if one name broke out."""
    hostile, plain = parsed["hostile"], parsed["tiny"]
    allowed = {tag for tag, _ in plain.elements} | {"a"}
    assert {tag for tag, _ in hostile.elements} <= allowed
    assert "</script><img src=x" in hostile.text
    charts = [text for a, text in hostile.scripts if "data-chart" in a]
    assert all("<" not in text for text in charts)
    assert any("\\u0026lt;/script" in text for text in charts)


def test_a_link_is_made_only_of_web_addresses(parsed: dict[str, Parsed]) -> None:
    links = [a["href"] for tag, a in parsed["hostile"].elements if tag == "a" and "rel" in a]
    assert all((link or "").startswith("https://") for link in links)
    assert "javascript:alert(1)" in parsed["hostile"].text


def test_the_same_contents_give_the_same_bytes(tiny: Contents) -> None:
    assert page(tiny) == page(tiny)


def test_parts_without_data_say_so(parsed: dict[str, Parsed]) -> None:
    assert "The tables hold no prices" in parsed["without_prices"].text
    assert "Without prices, the value of each region cannot be shown." in (
        parsed["without_prices"].text
    )
    assert "No scenario was played." in parsed["without_runs"].text
    assert "The tables do not say what their numbers rest on." in parsed["tiny"].text
    assert "The tables name no sources." in parsed["firms"].text


def test_the_page_stays_below_eight_megabytes(pages: dict[str, str]) -> None:
    assert max(len(text.encode()) for text in pages.values()) < 8_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["robots", "firms", "hostile", "without_prices"])
def test_a_browser_draws_every_chart_without_a_complaint(
    pages: dict[str, str], name: str, tmp_path: Path
) -> None:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    file = tmp_path / "report.html"
    file.write_text(pages[name], encoding="utf-8")
    done = browse(file, tmp_path / "profile")
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []
    dom = re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)
    drawn = Parsed(dom)
    assert 'data-drawn="yes"' in dom
    charts = [a for tag, a in drawn.elements if "js-plotly-plot" in (a.get("class") or "")]
    assert len(charts) == len([1 for a in re.findall(r"data-chart", pages[name])]) - 1
    sliders = [a for tag, a in drawn.elements if tag == "input"]
    assert [a.get("type") for a in sliders] == ["range"] * len(sliders)
    assert len(sliders) == 1
    assert "img" not in {tag for tag, _ in drawn.elements}
    assert "<title>broken into" not in dom
    assert not [a for tag, a in drawn.elements if "evil" in (a.get("href") or "")]
