"use strict";
(function () {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const colours = JSON.parse(document.getElementById("dark-colours").textContent);
  const PAPER = 660;
  const NARROW = 480;
  const config = {
    displaylogo: false,
    modeBarButtons: [["toImage"]],
    responsive: false,
    showTips: false,
    typesetMath: false,
    toImageButtonOptions: { format: "svg" },
  };

  function recoloured(value) {
    if (typeof value === "string") return Object.hasOwn(colours, value) ? colours[value] : value;
    if (Array.isArray(value)) return value.map(recoloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, recoloured(v)]));
    }
    return value;
  }

  function narrowed(spec) {
    spec.layout.font.size = 12;
    for (const trace of spec.data) {
      if (trace.mode === "markers+text") trace.mode = "markers";
      if (trace.name) trace.name = trace.name.split(": ")[0];
    }
    const x = spec.layout.xaxis;
    const isShare = x && x.type !== "log" && x.ticktext && x.ticktext.every((t) => t.endsWith("%"));
    if (isShare && x.range && x.range[1] > 120) x.range[1] = 104;
    if (isShare && x.tickvals.length > 4) {
      x.tickvals = [0, 50, 100];
      x.ticktext = ["0 %", "50 %", "100 %"];
    }
  }

  function draw(chart, isDark, width) {
    const spec = isDark ? recoloured(JSON.parse(chart.source)) : JSON.parse(chart.source);
    if (width < NARROW) narrowed(spec);
    spec.layout.width = width;
    const bar = spec.layout.height < 200 ? false : "hover";
    window.Plotly.react(chart.place, spec.data, spec.layout, { ...config, displayModeBar: bar });
  }

  const charts = [...document.querySelectorAll("script[data-chart]")].map((script) => ({
    place: document.getElementById(script.dataset.chart),
    source: script.textContent,
  }));

  function drawAll() {
    for (const chart of charts) {
      const width = chart.place.clientWidth;
      if (width > 0) draw(chart, dark.matches, width);
    }
  }

  function drawForPaper() {
    for (const chart of charts) {
      window.Plotly.purge(chart.place); // a legend keeps its old place where only the size changes
      draw(chart, false, chart.place.closest(".small, .two") ? PAPER / 2 - 20 : PAPER);
    }
  }

  function element(tag, attributes, text) {
    const made = Object.assign(document.createElement(tag), attributes);
    if (text) made.textContent = text;
    return made;
  }

  function stepThrough(replay) {
    const rounds = [...replay.querySelectorAll(":scope > ol > li")];
    if (rounds.length < 2) return;
    const last = rounds.length - 1;
    const slider = element("input", { type: "range", min: 0, max: last, value: 0, id: "round" });
    const back = element("button", { type: "button" }, "Back");
    const next = element("button", { type: "button" }, "Next");
    const bar = element("div", { className: "stepper" });
    bar.append(element("label", { htmlFor: "round" }, "Round"), slider, back, next);
    function show() {
      const at = Number(slider.value);
      rounds.forEach((round, number) => { round.style.display = number === at ? "" : "none"; });
      slider.setAttribute("aria-valuetext", rounds[at].querySelector("h4").textContent);
      back.disabled = at === 0;
      next.disabled = at === last;
    }
    function step(by) {
      slider.value = Number(slider.value) + by;
      show();
    }
    slider.addEventListener("input", show);
    back.addEventListener("click", () => step(-1));
    next.addEventListener("click", () => step(1));
    replay.prepend(bar);
    replay.querySelector("ol").setAttribute("aria-live", "polite");
    show();
  }
  document.querySelectorAll(".replay").forEach(stepThrough);

  let waiting = 0;
  let last = document.body.clientWidth;
  new ResizeObserver(() => {
    if (document.body.clientWidth === last) return;
    last = document.body.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 100);
  }).observe(document.body);
  dark.addEventListener("change", drawAll);
  window.addEventListener("beforeprint", drawForPaper);
  window.addEventListener("afterprint", drawAll);
  drawAll();
  document.documentElement.dataset.drawn = "yes";
})();
