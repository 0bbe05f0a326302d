// The chart of a report and the choice of a design. Plain browser functions, no network.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const chart = document.getElementById("chart");
  if (!chart || !data.designs.length) return;
  const told = document.getElementById("told");
  const pick = { x: document.getElementById("across"), y: document.getElementById("up") };
  const box = { left: 84, right: 880, top: 16, bottom: 408 };

  // What can be an axis: each measure, and each choice that is a number and varies.
  const axes = data.measures.map((m, place) => ({
    title: m.unit ? `${m.name} [${m.unit}]` : m.name, better: m.better, of: (d) => d.v[place],
  }));
  const everything = data.cloud.concat(data.designs);
  data.choices.forEach((name, place) => {
    const values = new Set(everything.map((d) => d.p[place]));
    if (values.size > 1 && [...values].every((v) => typeof v === "number")) {
      axes.push({ title: name, better: 0, of: (d) => d.p[place] });
    }
  });
  for (const which of ["x", "y"]) {
    axes.forEach((axis, place) => pick[which].add(new Option(axis.title.replaceAll("_", " "), place)));
    pick[which].addEventListener("change", draw);
  }
  pick.y.value = data.front ? 1 : 0;
  pick.x.value = data.front || axes.length < 2 ? 0 : 1;

  const make = (name, attributes, parent) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.appendChild(node);
    return node;
  };
  const text = (value) => {
    if (typeof value !== "number") return String(value);
    const large = Math.abs(value) >= 1e4 && Math.abs(value) < 1e12;
    return large ? value.toLocaleString("en-US", { maximumFractionDigits: 1 })
                 : String(Number(value.toPrecision(6)));
  };
  const short = (value) => {
    const size = Math.abs(value);
    for (const [limit, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
      if (size >= limit) {
        const unit = letter === "k" ? 1e3 : limit;
        return Number((value / unit).toPrecision(4)) + " " + letter;
      }
    }
    return String(Number(value.toPrecision(4)));
  };

  function scale(values, from, to) {
    let low = Math.min(...values), high = Math.max(...values);
    const log = low > 0 && high / low > 60;
    const turn = log ? Math.log10 : (v) => v;
    let a = turn(low), b = turn(high);
    if (a === b) { a -= Math.abs(a) * 0.05 || 1; b += Math.abs(b) * 0.05 || 1; }
    const margin = 0.05 * (b - a);
    a -= margin; b += margin;
    const at = (v) => from + ((turn(v) - a) / (b - a)) * (to - from);
    return { at, ticks: log ? decades(a, b) : steps(a, b) };
  }
  function steps(a, b) {
    const rough = (b - a) / 6, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
    const found = [];
    for (let v = Math.ceil(a / step) * step; v <= b; v += step) found.push(Number(v.toPrecision(12)));
    return found;
  }
  function decades(a, b) {
    const found = [];
    for (let e = Math.floor(a); e <= b; e++) {
      for (const f of b - a > 3 ? [1] : [1, 2, 5]) {
        const v = f * 10 ** e;
        if (Math.log10(v) >= a && Math.log10(v) <= b) found.push(v);
      }
    }
    return found;
  }

  // Those that no other beats in both measures, from left to right.
  function unbeaten(x, y) {
    if (!x.better || !y.better || x === y) return [];
    const order = [...everything].sort(
      (p, q) => x.better * (x.of(q) - x.of(p)) || y.better * (y.of(q) - y.of(p)));
    const kept = [];
    for (const d of order) {
      const last = kept[kept.length - 1];
      // The dots are rounded: what differs in the seventh digit is equal.
      if (!last || y.better * (y.of(d) - y.of(last)) > 1e-6 * Math.abs(y.of(d))) kept.push(d);
    }
    return kept;
  }

  function describe(d, title) {
    const choices = data.choices.map((name, place) => `${name}=${d.p[place]}`).join(", ");
    const measures = data.measures.map(
      (m, place) => `${m.name.replaceAll("_", " ")} ${text(d.v[place])} ${m.unit}`.trim()).join(" · ");
    told.textContent = `${title}${choices} — ${measures}`;
  }

  function draw() {
    const x = axes[pick.x.value], y = axes[pick.y.value];
    chart.replaceChildren();
    const across = scale(everything.map(x.of), box.left, box.right);
    const up = scale(everything.map(y.of), box.bottom, box.top);
    for (const v of across.ticks) {
      make("line", { class: "grid", x1: across.at(v), x2: across.at(v), y1: box.top, y2: box.bottom }, chart);
      make("text", { x: across.at(v), y: box.bottom + 19, "text-anchor": "middle" }, chart).textContent = short(v);
    }
    for (const v of up.ticks) {
      make("line", { class: "grid", x1: box.left, x2: box.right, y1: up.at(v), y2: up.at(v) }, chart);
      make("text", { x: box.left - 8, y: up.at(v) + 4, "text-anchor": "end" }, chart).textContent = short(v);
    }
    const better = { 1: " (more is better)", 0: "", "-1": " (less is better)" };
    const name = (axis) => axis.title.replaceAll("_", " ") + better[axis.better];
    make("text", { id: "x-title", x: (box.left + box.right) / 2, y: 450, "text-anchor": "middle" }, chart)
      .textContent = name(x);
    make("text", { id: "y-title", x: -(box.top + box.bottom) / 2, y: 16, "text-anchor": "middle",
      transform: "rotate(-90)" }, chart).textContent = name(y);
    for (const d of data.cloud) {
      const dot = make("circle", { class: "dot", r: 3.2, cx: across.at(x.of(d)), cy: up.at(y.of(d)) }, chart);
      dot.addEventListener("mouseenter", () => describe(d, ""));
    }
    const line = unbeaten(x, y);
    if (line.length > 1) {
      let path = "";
      line.forEach((d, i) => {
        const at = [across.at(x.of(d)), up.at(y.of(d))];
        path += i ? `H${at[0]}V${at[1]}` : `M${at[0]} ${at[1]}`;
      });
      make("path", { class: "front", d: path }, chart);
    }
    // The best design last, so that it lies on top.
    data.designs.map((d, place) => [d, place]).reverse().forEach(([d, place]) => {
      const mark = make("g", { class: "best", tabindex: 0, role: "button", "data-place": place,
        "aria-label": `design ${place + 1}`,
        transform: `translate(${across.at(x.of(d))} ${up.at(y.of(d))})` }, chart);
      make("circle", { r: 9 }, mark);
      make("text", { y: 4 }, mark).textContent = place + 1;
      for (const event of ["mouseenter", "focus"]) {
        mark.addEventListener(event, () => describe(d, `Design ${place + 1}: `));
      }
      mark.addEventListener("click", () => choose(place));
      mark.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") choose(place); });
    });
    mark(chosen);
  }

  const rows = [...document.querySelectorAll("#designs tbody tr")];
  let chosen = 0;
  function mark(place) {
    rows.forEach((row, other) => row.setAttribute("aria-selected", other === place));
    document.querySelectorAll("#chart .best").forEach((node) =>
      node.classList.toggle("chosen", Number(node.dataset.place) === place));
  }
  function choose(place) {
    chosen = place;
    document.querySelectorAll(".panel").forEach((panel, other) => { panel.hidden = other !== place; });
    mark(place);
    describe(data.designs[place], `Design ${place + 1}: `);
  }
  rows.forEach((row, place) => {
    row.tabIndex = 0;
    row.addEventListener("click", () => choose(place));
    row.addEventListener("keydown", (e) => { if (e.key === "Enter") choose(place); });
  });
  draw();
})();
