// Curves since the run began: frequency, voltage, loading, power, price, and who earned what today.

import { html, useEffect, useRef } from "./vendor/htm-preact.js";
import { listen, room } from "./feed.js";
import { euros, number, power } from "./words.js";

const SHORT = ["Generation", "Transmission", "Distribution", "Customers", "Operations", "Markets", "Providers"];
const EARNED = ["generation", "transmission", "distribution", "customers", "operations", "markets", "providers"];

const CURVES = [
  { title: "Frequency", unit: "Hz", digits: 3, least: 0.02, lines: [{ of: "frequency_hz", name: "", colour: "c0" }] },
  { title: "Voltage, lowest and highest", unit: "pu", digits: 3, least: 0.02, lines: [{ of: "v_max_pu", name: "highest", colour: "c2" }, { of: "v_min_pu", name: "lowest", colour: "c1", dash: [6, 3] }] },
  { title: "Loading, highest", unit: "%", digits: 0, least: 10, zero: true, lines: [{ of: "transformer_pct", name: "transformer", colour: "c1" }, { of: "line_pct", name: "line", colour: "c0", dash: [6, 3] }] },
  { title: "Power", unit: "MW", digits: 2, by: 1 / 1000, least: 1, lines: [{ of: "load_kw", name: "drawn", colour: "c3" }, { of: "generated_kw", name: "local units", colour: "c2", dash: [2, 3] }, { of: "infeed_kw", name: "infeed", colour: "c0", dash: [6, 3] }] },
  { title: "Price, day ahead", unit: "\u20ac/MWh", digits: 2, least: 10, stepped: true, lines: [{ of: "price_eur_per_mwh", name: "", colour: "c3" }] },
  {
    title: "Earned today",
    unit: "k\u20ac",
    isDaily: true,
    digits: 1,
    by: 1 / 1000,
    least: 1,
    lines: EARNED.map((one, k) => ({ of: `earned_${one}`, name: SHORT[k], colour: `c${k}`, dash: [[], [6, 3], [2, 3], [10, 3], [8, 3, 2, 3], [1, 2], [12, 4]][k] })).filter((one) => one.of !== "earned_markets"),
  },
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function options(curve, width, height) {
  const soft = colour("soft");
  const rule = colour("rule");
  const font = "11px system-ui, sans-serif";
  const { zone } = room.scene;
  const ends = (u, low, high) => {
    if (low === null || low === undefined) return [0, 1];
    const gap = Math.max(high - low, curve.least);
    const middle = (low + high) / 2;
    return [curve.zero ? 0 : middle - 0.58 * gap, curve.zero ? Math.max(high * 1.1, curve.least) : middle + 0.58 * gap];
  };
  return {
    width,
    height,
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), zone),
    legend: { show: false },
    cursor: { sync: { key: "room" }, y: false, drag: { x: false, y: false }, points: { size: 5 } },
    padding: [6, 8, 0, 0],
    scales: { y: { range: ends } },
    axes: [
      { stroke: soft, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font, size: 22, gap: 2, space: 56, values: [[3600, "{HH}:{mm}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
      { stroke: soft, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font, size: 46, gap: 3, space: 26, values: (u, ticks, at, space, step) => ticks.map((one) => number(one, step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3)) },
    ],
    series: [{}, ...curve.lines.map((one) => ({ stroke: colour(one.colour), width: 1.75, dash: one.dash || [], points: { show: false }, paths: curve.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined, spanGaps: !curve.isDaily }))],
  };
}

// The points at which a local day begins: what is counted by the day starts anew, and its line is broken there.
const begun = { seen: 0, day: null, at: [] };
function midnights() {
  const { time_s: time } = room.series;
  if (begun.seen > time.length) Object.assign(begun, { seen: 0, day: null, at: [] }); // they were thinned out
  for (; begun.seen < time.length; begun.seen++) {
    const day = uPlot.tzDate(new Date(time[begun.seen] * 1e3), room.scene.zone).getDate();
    if (begun.day !== null && day !== begun.day) begun.at.push(begun.seen);
    begun.day = day;
  }
  return begun.at;
}

function data(curve) {
  const { series } = room;
  const by = curve.by || 1;
  const all = curve.lines.map((one) => (by === 1 ? series[one.of] : series[one.of].map((value) => (value === null ? null : value * by))));
  if (curve.isDaily) for (const k of midnights()) for (const one of all) one[k] = null;
  return [series.time_s, ...all];
}

function Curve({ curve, number: k }) {
  const place = useRef(null);
  const says = useRef(null);
  useEffect(() => {
    let plot = null;
    let at = 0;
    const size = () => [Math.max(place.current.clientWidth, 120), Math.max(place.current.clientHeight, 90)];
    const build = () => {
      plot && plot.destroy();
      const [width, height] = size();
      plot = new uPlot(options(curve, width, height), data(curve), place.current);
      plot.root.setAttribute("aria-hidden", "true");
    };
    const say = () => {
      const { figures } = room.header;
      curve.lines.forEach((one, n) => {
        const value = figures[one.of];
        const text = number(value === null || value === undefined ? NaN : value * (curve.by || 1), curve.digits);
        const to = says.current.children[n].lastElementChild;
        if (to.textContent !== text) to.textContent = text;
      });
    };
    const take = () => {
      const now = performance.now();
      if (now - at < 450 || document.hidden) return;
      at = now;
      plot.setData(data(curve));
    };
    build();
    if (room.header && room.header.figures) say();
    const fit = new ResizeObserver(() => {
      const [width, height] = size();
      if (plot && (plot.width !== width || plot.height !== height)) plot.setSize({ width, height });
    });
    fit.observe(place.current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", build);
    addEventListener("themechange", build);
    const stops = [listen("series", take), listen("state", say)];
    return () => {
      stops.forEach((stop) => stop());
      fit.disconnect();
      dark.removeEventListener("change", build);
      removeEventListener("themechange", build);
      plot.destroy();
    };
  }, []);
  const many = curve.lines.length > 3;
  return html`<figure class="curve ${many ? "many" : ""}"><figcaption><span class="curve-title">${curve.title} <small>${curve.unit}</small></span>
    <ul class="keys" ref=${says}>${curve.lines.map((one) => html`<li class="key ${one.colour}"><svg class="dash" viewBox="0 0 18 4" aria-hidden="true"><path d="M0 2h18" stroke-dasharray=${(one.dash || []).join(" ")} /></svg>${one.name ? html`<span>${one.name} </span>` : html`<span class="hidden">now </span>`}<b></b></li>`)}</ul></figcaption>
    <div class="plot" ref=${place}></div></figure>`;
}

export function Curves() {
  return html`<section class="card curves" aria-labelledby="curves-title"><h2 id="curves-title" class="hidden">Curves</h2>${CURVES.map((curve, k) => html`<${Curve} curve=${curve} number=${k} key=${curve.title} />`)}</section>`;
}
