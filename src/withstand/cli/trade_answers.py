"""How trade looks: what was read, who is flagged, how far, how sure, who supplies, what follows."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output

_NAME = 16
"""Longest name, so that tables fit 80 columns."""
_PLACE = 12
_LEAST = 0.005
"""Share from which a supplier is named."""


def document(found: Any) -> dict[str, Any]:
    """Return trade as JSON values."""
    from withstand.report.trade_said import sentences, source_said

    cube, screens = found.cube, found.screens
    return {
        "status": "ok",
        "data": {
            "name": cube.name,
            "flows": cube.n_rows,
            "products": len(cube.products),
            "regions": len(cube.regions),
            "vintage": cube.vintage,
            "value_unit": cube.value_unit,
            "quantity_unit": cube.quantity_unit,
            "by_year": cube.summary(),
            "source": source_said(found),
        },
        "bloc": screens.bloc,
        "years": list(screens.years),
        "summary": sentences(found),
        "conventions": dict(screens.conventions),
        "screens": [_screen(p) for p in screens.presets],
        "products": found.ranked,
        "flagged": {p.name: _flagged(screens, p.name) for p in screens.presets},
        "conditions": found.conditions,
        "churn": found.counts,
        "suppliers": found.suppliers,
        "raw_materials": found.materials,
        "after_loss": found.after_loss,
        "against": found.against,
        "findings": [f.to_dict() for f in found.findings],
        "provenance": screens.provenance.to_dict(),
    }


def _screen(preset: Any) -> dict[str, Any]:
    return {
        "name": preset.name,
        "title": preset.title,
        "source": preset.source,
        "window": preset.window,
        "needed": preset.needed,
        "conditions": [
            {"name": c.name, "indicator": c.indicator, "sign": c.sign, "threshold": c.threshold,
             "words": c.words, "basis": c.basis}
            for c in preset.conditions
        ],
    }  # fmt: skip


def _flagged(screens: Any, preset: str) -> dict[str, list[str]]:
    """Return the products that a screen flags, by year."""
    rows = screens.flagged(preset)
    return {str(y): rows.filter(rows["year"] == y)["product"].to_list() for y in screens.years}


def say(found: Any, top: int) -> None:
    """Print trade: the sentences, then the tables."""
    from withstand.report.trade_said import sentences, source_said

    for sentence in sentences(found):
        output.say(sentence)
    output.say("")
    _say_data(found)
    _say_flagged(found)
    _say_distances(found)
    _say_churn(found)
    _say_suppliers(found)
    if found.materials is not None:
        _say_materials(found, top)
    if found.after_loss is not None:
        _say_losses(found, top)
    if found.against is not None:
        _say_against(found, top)
    output.say(source_said(found))
    if found.findings and not output.settings.quiet:
        output.say("")
        shown = [f for f in found.findings if f.severity != "error"]
        output.say_findings(answers.grouped(shown), failed=False)


def _say_data(found: Any) -> None:
    cube = found.cube
    output.say_table(
        f"What was read: {len(cube.products):,} products ({cube.vintage}),"
        f" {len(cube.regions):,} regions",
        cube.summary().tail(10),
        {
            "year": "year",
            "flows": "flows",
            "value": f"value ({cube.value_unit})",
            "without_quantity": "without quantity",
        },
        shares=["without_quantity"],
    )


def _short(found: Any, frame: Any, most: int = _NAME) -> Any:
    """Return a frame with names that fit; without names of products there is none."""
    import polars as pl

    names = [found.called(p, most) if p in found.names else "" for p in frame["product"]]
    return frame.with_columns(pl.Series("name", names, dtype=pl.String))


def _cut(column: str, most: int = _PLACE) -> Any:
    """Return a column of names that fit, an ellipsis where they were cut."""
    import polars as pl

    name = pl.col(column)
    short = name.str.slice(0, most - 1).str.strip_chars_end() + "…"
    return pl.when(name.str.len_chars() > most).then(short).otherwise(name).alias(column)


def _headers(found: Any, headers: dict[str, str]) -> dict[str, str]:
    if not found.names:
        return {k: v for k, v in headers.items() if k != "name"}
    return headers


def _say_flagged(found: Any) -> None:
    import polars as pl

    of = len(found.screens.presets)
    frame = _short(found, found.shown).with_columns(
        _cut("supplier"), screens=pl.format("{} of {}", "flags", pl.lit(of))
    )
    headers = {
        "product": "code",
        "name": "product",
        "flagged": "flag",
        "screens": "screens",
        "margin": "margin",
        "probability": "chance",
        "supplier": "supplier",
        "largest_share": "share",
    }
    if of == 1:
        del headers["screens"]
    if found.screens.error is None:
        del headers["probability"]
    output.say_table(
        f"Worst in {found.year} by {found.preset.name}; margin: beyond (-: short of) the threshold",
        frame,
        _headers(found, headers),
        shares=["margin", "probability", "largest_share"],
    )


def _say_distances(found: Any) -> None:
    import polars as pl

    conditions = found.preset.conditions
    names = {c.name: f"{c.name}{c.sign}{c.threshold:g}" for c in conditions}
    own = found.conditions.filter(
        pl.col("preset") == found.preset.name,
        pl.col("product").is_in(found.shown["product"].implode()),
    )
    wide = own.pivot(on="condition", index="product", values=["value", "relative"])
    columns = {"product": "code", "name": "product"}
    many = len(conditions) > 1
    for name, header in names.items():
        value, relative = (f"value_{name}", f"relative_{name}") if many else ("value", "relative")
        if not many:
            wide = wide.rename({name: value}, strict=False)
        columns[value] = header
        columns[relative] = "beyond"
    if not many:
        wide = own.select("product", "value", "relative")
    shares = [c for c in columns if c.startswith("relative")]
    capped = wide.with_columns(pl.col(c).clip(-1.0, 9.99) for c in shares)
    output.say_table(
        "Distance to each threshold, as a share of it (999 %: that or more)",
        _short(found, capped, 15),
        _headers(found, columns),
        shares=shares,
    )


def _say_churn(found: Any) -> None:
    import polars as pl

    years = [str(y) for y in found.screens.years][-6:]
    wide = found.counts.with_columns(pl.col("year").cast(pl.String)).pivot(
        on="year", index="preset", values="flagged"
    )
    left = found.counts.group_by("preset").agg(pl.col("share_left").mean())
    wide = wide.join(left, on="preset", how="left", maintain_order="left")
    headers = {"preset": "screen", **{y: y for y in years}, "share_left": "leave in a year"}
    if len(found.screens.years) < 2:
        del headers["share_left"]
    output.say_table("Products flagged by year", wide, headers, shares=["share_left"])


def _say_suppliers(found: Any) -> None:
    import polars as pl

    from withstand.report.words import clip

    rows = []
    for product in found.shown["product"]:
        own = found.suppliers.filter(pl.col("product") == product)
        parts = [
            f"{clip(found.place(r), _PLACE)} {100 * s:.0f} %"
            for r, s in own.head(3).select("exporter", "share").drop_nulls().iter_rows()
            if s >= _LEAST
        ]
        rows.append((product, ", ".join(parts), own.height))
    frame = pl.DataFrame(rows, schema=["product", "suppliers", "of"], orient="row")
    output.say_table(
        f"Who supplies from outside in {found.year}",
        _short(found, frame),
        _headers(
            found,
            {"product": "code", "name": "product", "suppliers": "largest suppliers", "of": "of"},
        ),
    )


def _say_materials(found: Any, top: int) -> None:

    headers = {
        "material": "material",
        "sr_low": "risk, best",
        "sr_high": "worst end",
        "ei": "importance",
        "critical": "critical",
        "hhi": "HHI made",
        "largest": "largest",
        "largest_share": "share",
    }
    frame = found.materials
    if found.risk is None:
        for name in ("sr_low", "sr_high", "ei", "critical"):
            del headers[name]
    elif not frame["ei"].count():
        del headers["ei"], headers["critical"]
    headers = {k: v for k, v in headers.items() if k in frame.columns}
    cut = frame.head(top).with_columns(_cut("material", 20), _cut("largest"))
    output.say_table(
        "Raw materials: supply risk, from the best to the worst end of import reliance"
        if found.risk is not None
        else "Raw materials: in how few places they are made",
        cut,
        headers,
        shares=["largest_share"],
    )


def _say_losses(found: Any, top: int) -> None:

    frame = _short(found, found.after_loss.head(top)).with_columns(_cut("supplier"))
    headers = {
        "product": "code",
        "name": "product",
        "supplier": "without",
        "share_lost": "lost",
        "days_to_shortage": "short on",
        "days_lost": "missed",
        "price_factor_after_a_year": "price",
    }
    if not frame["sigma"].count():
        del headers["price_factor_after_a_year"]
    output.say_table(
        "If the largest supplier stops: first short day, days of use missed, price",
        frame,
        _headers(found, headers),
        shares=["share_lost"],
    )


def _say_against(found: Any, top: int) -> None:
    import polars as pl

    frame = found.against.filter(pl.col("flags").is_not_null()).head(top)
    if frame.is_empty():
        output.say(f"No product of {found.network} has a code that is in these data.")
        return
    output.say_table(
        f"What {found.network} buys of this",
        frame.with_columns(_cut("name", 20), _cut("supplier")),
        {
            "product": "product",
            "name": "name",
            "hs": "code",
            "flags": "screens",
            "supplier": "bloc's largest",
            "largest": "its own",
            "largest_share": "share",
        },
        shares=["largest_share"],
    )
