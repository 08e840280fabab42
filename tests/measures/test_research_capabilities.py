"""Capability of research: technology domains, and the products they stand behind."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from candidate_cases import capability, pumps, research
from withstand import measures
from withstand.errors import UsageError


def of(product, texts, place="HOME", **more):
    frame, findings = research().of_products(texts, place, **more)
    return frame.row(by_predicate=pl.col("product") == product, named=True), findings


def test_domains_of_two_places_are_those_worked_out_by_hand():
    """Home: 1 of 4 patents in drives against 4 of 12 in all; materials 3 of 4 against 4 of 12."""
    found = research()
    np.testing.assert_allclose(found.rca[0], [0.75, 2.25, 0.0])
    assert found.present.tolist() == [[False, True, False], [True, False, True]]
    np.testing.assert_allclose(found.density, [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    assert found.why("JP", "Chips")["other"].to_list() == ["Chips", "Drives"]
    assert repr(found) == "<ResearchCapability of 2 places in 3 domains>"


def test_domains_obey_the_equations_of_products():
    """The same table as products: every number but the indices is that of `complexity`."""
    of_products = capability()
    table = pl.DataFrame(of_products.values, schema=list(of_products.products), orient="row")
    table = table.with_columns(place=pl.Series(of_products.places))
    found = measures.research_capability(table, threshold=1e-9)
    for name in ("rca", "present", "proximity", "density"):
        np.testing.assert_allclose(getattr(found, name), getattr(of_products, name), err_msg=name)


def test_a_product_of_several_domains_has_their_mean_or_the_least():
    texts = {"PART": "Drives; materials;"}
    row, findings = of("PART", texts)
    assert row["domains"] == "Drives; Materials"
    assert (row["research_density"], row["weakest_domain"]) == (0.5, "Drives")
    assert (row["research_rca"], row["patents"]) == (0.75, 1.0)
    assert not findings
    assert of("PART", texts, several="least")[0]["research_density"] == 0.0
    with pytest.raises(UsageError, match="mean, least"):
        of("PART", texts, several="most")


def test_domains_that_are_missing_or_strange_are_told():
    row, findings = of("A", {"A": "Material", "B": None, "C": "Drives"})
    assert row["research_density"] is None
    assert row["unknown_domains"] == "Material"
    assert [(f.code, f.value, f.suggestion) for f in findings] == [
        ("W661", "B", None),
        ("W661", "Material", "Materials"),
    ]


def test_few_patents_make_no_advantage():
    found = research()
    table = pl.DataFrame(found.patents, schema=list(found.domains), orient="row")
    table = table.with_columns(place=pl.Series(found.places))
    strict = measures.research_capability(table, least=4.0)
    assert strict.present.tolist() == [[False, False, False], [False, False, True]]
    assert [f.code for f in strict.findings] == ["W653"]
    assert strict.to_frame()["density"].null_count() == 4  # nobody stands out, nothing is akin


def test_research_needs_a_place_that_is_there():
    with pytest.raises(UsageError, match="Did you mean HOME"):
        research().of_products({"A": "Drives"}, "HOM")
    with pytest.raises(UsageError, match="research_place="):
        measures.localise_candidates(capability(), "DE", network=pumps(), research=research())
