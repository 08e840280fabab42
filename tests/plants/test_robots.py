"""Robot stocks against published ones, in closed form, and by loops."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand import plants
from withstand.errors import UsageError


def stock_by_loops(installed, life, retirement):
    """Robots one year's batch at a time."""
    stocks = []
    for t in range(len(installed)):
        left = 0.0
        for v in range(t + 1):
            age = t - v
            if retirement == "sudden":
                left += installed[v] if age < life else 0.0
            elif retirement == "exponential":
                left += installed[v] * (1 - 1 / life) ** age
            else:
                left += installed[v] * max(0.0, 1 - age / life)
        stocks.append(left)
    return stocks


@given(
    installed=st.lists(st.integers(0, 1000), min_size=1, max_size=30),
    life=st.integers(1, 15),
    retirement=st.sampled_from(["sudden", "exponential", "linear"]),
)
def test_a_stock_is_what_is_left_of_every_year(installed, life, retirement):
    given_ = {2000 + t: x for t, x in enumerate(installed)}
    frame = plants.robot_stock(given_, life=life, retirement=retirement).to_frame()
    assert frame["stock"].to_list() == pytest.approx(stock_by_loops(installed, life, retirement))
    opening = [0.0, *frame["stock"].to_list()[:-1]]
    balance = np.array(opening) + frame["installations"].to_numpy() - frame["retired"].to_numpy()
    assert balance == pytest.approx(frame["stock"].to_numpy(), abs=1e-9)
    assert (frame["retired"] >= -1e-9).all()


def test_steady_installations_give_life_times_as_many_robots():
    steady = dict.fromkeys(range(1900, 2000), 10.0)
    assert plants.robot_stock(steady, life=12).at_end_of(1999) == 120.0
    assert plants.robot_stock(steady, life=12, retirement="exponential").at_end_of(
        1999
    ) == pytest.approx(120.0, rel=2e-4)
    assert plants.robot_stock(steady, life=12, retirement="linear").at_end_of(1999) == 65.0


def test_years_before_the_first_are_said_to_be_missing():
    frame = plants.robot_stock(dict.fromkeys(range(2000, 2005), 1.0), life=3).to_frame()
    assert frame["is_complete"].to_list() == [False, False, True, True, True]
    with_start = plants.robot_stock({2000: 1.0, 2001: 1.0}, life=2, initial=5.0).to_frame()
    assert with_start["stock"].to_list() == [6.0, 2.0]


def test_the_world_stock_of_2023_is_what_was_published(data_dir):
    """Twelve years of installations: 4,336,000 against 4,281,585, 1.3 % more (rounded figures)."""
    folder = data_dir / "ifr_robots"
    installed = pl.read_parquet(folder / "annual_installations.parquet").select(
        "year", "installations", region="code"
    )
    published = (
        pl.read_parquet(folder / "headline.parquet")
        .filter(pl.col("indicator") == "operational_stock")
        .with_columns(region=pl.col("code").replace("World", "OWID_WRL"))
        .select("region", "year", "value")
    )
    stock = plants.robot_stock(installed)
    row = stock.compare(published).row(0, named=True)
    assert (row["own"], row["published"]) == (4_336_000.0, 4_281_585.0)
    assert row["difference"] == 54_415.0
    assert row["relative"] == pytest.approx(0.0127, abs=5e-5)
    assert row["is_complete"]
    shorter = plants.robot_stock(installed, life=10).at_end_of(2023, "OWID_WRL")
    assert shorter == 4_336_000 - 159_000 - 178_000  # without those of 2012 and 2013


def test_densities_beside_published_ones_say_whose_employees_they_take(data_dir):
    """Stocks of 2023 over the manufacturing employees of 2014, the last year there is.

    The United States come out 2 % above the published density, Germany 14 % below it: national
    accounts count 7.2 million employees in its manufacturing; the published figures imply 6.2.
    """
    installed = pl.read_parquet(data_dir / "ifr_robots" / "annual_installations.parquet").select(
        "year", "installations", region="code"
    )
    accounts = pl.read_parquet(
        data_dir / "wiod2016_sea" / "sea_6countries_2000_2014.parquet"
    ).filter(pl.col("code").str.starts_with("C") & (pl.col("year") == 2014))
    employees = accounts.group_by("year", region="country").agg(employees=1000 * pl.sum("EMPE"))
    density = plants.robot_density(plants.robot_stock(installed), employees, nearest_year=True)
    assert set(density["employees_year"]) == {2014}
    published = pl.read_parquet(data_dir / "ifr_robots" / "robot_density.parquet").select(
        "year", region="code", value="robots_per_10k_mfg_employees"
    )
    beside = plants.beside_published(density.select("region", "year", value="density"), published)
    assert beside.height == published.height
    of = {(r["region"], r["year"]): r for r in beside.iter_rows(named=True)}
    assert of["USA", 2023]["relative"] == pytest.approx(0.0214, abs=5e-4)
    assert of["DEU", 2023]["relative"] == pytest.approx(-0.1426, abs=5e-4)
    assert of["KOR", 2023]["own"] is None


def test_a_density_of_two_numbers_and_of_two_tables():
    assert plants.robot_density(50, 10_000) == 50.0
    stock = pl.DataFrame({"region": ["A", "B"], "year": [2020, 2020], "stock": [10.0, 20.0]})
    people = pl.DataFrame({"region": ["A", "B"], "year": [2020, 2019], "employees": [1e3, 1e3]})
    assert plants.robot_density(stock, people)["density"].to_list() == [100.0]
    both = plants.robot_density(stock, people, nearest_year=True)
    assert both["employees_year"].to_list() == [2020, 2019]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: plants.robot_stock({2020: -1}), "at least 0"),
        (lambda: plants.robot_stock({2020: 1, 2022: 1}), "no row for 2021"),
        (lambda: plants.robot_stock({2020: 1}, life=0), "life"),
        (lambda: plants.robot_stock({2020: 1}, life=1.5), "whole"),
        (lambda: plants.robot_stock({2020: 1}, retirement="suden"), "Did you mean 'sudden'"),
        (lambda: plants.robot_stock({}), "no row"),
        (lambda: plants.robot_stock([1, 2]), "table"),
        (lambda: plants.robot_stock({2020: "many"}), "numbers"),
        (
            lambda: plants.robot_stock(pl.DataFrame({"year": [1], "installation": [1]})),
            "Did you mean the column installation",
        ),
        (
            lambda: plants.robot_stock(pl.DataFrame({"year": [1, 1], "installations": [1, 1]})),
            "more than once",
        ),
        (lambda: plants.robot_stock({2020: 1}, initial={"al": 1}), "Did you mean all"),
        (lambda: plants.robot_stock({2020: 1}).at_end_of(2021), "no stock"),
        (lambda: plants.robot_density(1, 0), "employees"),
        (lambda: plants.robot_density(1, pl.DataFrame()), "both"),
        (
            lambda: plants.robot_density(
                pl.DataFrame({"year": [1], "stock": [1]}),
                pl.DataFrame({"year": [2], "employees": [1]}),
            ),
            "nearest_year",
        ),
    ],
)
def test_what_cannot_be_is_refused(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()
