// The seven domains and what goes between them: power, messages and euros each second.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { listen, room } from "./feed.js";
import { number, power, rate } from "./words.js";

const BOX_W = 118;
const BOX_H = 76;
// Size, and the centres in the order of the domains: the four with wires below, the three without above; on a narrow screen the wires turn a corner.
const WIDE = { w: 600, h: 372, places: [[60, 330], [220, 330], [380, 330], [540, 330], [300, 42], [74, 42], [526, 42]] };
const NARROW = { w: 390, h: 500, places: [[61, 290], [61, 458], [195, 458], [329, 458], [195, 42], [61, 42], [329, 42]] };
const MEDIA = {
  power: { title: "Power", unit: "", bend: 0 },
  messages: { title: "Messages", unit: "/s", bend: 22 },
  money: { title: "Money", unit: " \u20ac/s", bend: 44 },
};
const GLYPHS = {
  power: "M6.4 0 1.5 6.2h2.9L3.4 10.6 8.7 4.2H5.6Z",
  messages: "M0 1.6h10v7.2H0Zm0 0 5 4.2 5-4.2",
  money: "M8.6 2.3A4.1 4.1 0 1 0 8.6 8.9M.4 4.6h5.2M.4 6.6h5.2",
};

function edge([x, y], [toX, toY]) {
  const dx = toX - x;
  const dy = toY - y;
  const scale = Math.min(dx ? BOX_W / 2 / Math.abs(dx) : Infinity, dy ? BOX_H / 2 / Math.abs(dy) : Infinity);
  return [x + dx * scale, y + dy * scale];
}

// A bent arrow to the right of the straight line: its curve, its head, and where its label stands.
function arrow(layout, i, j, medium, width) {
  const [a, b] = [layout.places[i], layout.places[j]];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy);
  const [ux, uy] = [dx / length, dy / length];
  const isLevel = Math.abs(dy) < 1;
  const isFar = isLevel && Math.abs(dx) > 200;
  const bend = isLevel ? 9 + MEDIA[medium].bend * 0.8 : 12 + MEDIA[medium].bend;
  const c = [(a[0] + b[0]) / 2 - uy * bend, (a[1] + b[1]) / 2 + ux * bend];
  // From one corner to the other: below the box between them, above those of the row below.
  if (isFar) c[1] = a[1] + (a[1] < layout.h / 2 ? 1 : -1) * (112 + (ux > 0 ? 0 : 34) + MEDIA[medium].bend * 0.5);
  const [sx, sy] = edge(a, c);
  const [ex, ey] = edge(b, c);
  const back = Math.hypot(ex - c[0], ey - c[1]) || 1;
  const [bx, by] = [(ex - c[0]) / back, (ey - c[1]) / back];
  const head = 5 + width * 1.1;
  const shaft = `M${sx.toFixed(1)} ${sy.toFixed(1)}Q${c[0].toFixed(1)} ${c[1].toFixed(1)} ${(ex - bx * head).toFixed(1)} ${(ey - by * head).toFixed(1)}`;
  const tip = `M${ex.toFixed(1)} ${ey.toFixed(1)}l${(-bx * head - by * head * 0.5).toFixed(1)} ${(-by * head + bx * head * 0.5).toFixed(1)}l${(by * head).toFixed(1)} ${(-bx * head).toFixed(1)}Z`;
  const t = isLevel ? 0.5 : 0.4;
  const at = [0, 1].map((k) => (1 - t) ** 2 * [sx, sy][k] + 2 * t * (1 - t) * c[k] + t * t * [ex, ey][k]);
  return { shaft, tip, at: [at[0], at[1] + (isLevel ? 12 * ux : 0)] };
}

// The flows of a medium, all above zero: what is paid or sent backwards goes the other way.
function flowsOf(medium, state) {
  const flows = new Map();
  const size = medium === "money" ? 9 : 7;
  const of = { power: state.power_kw, messages: state.delivered_per_s, money: state.eur_per_s }[medium];
  for (let i = 0; i < 7; i++) {
    for (let j = 0; j < 7; j++) {
      const value = of[size * i + j];
      if (i === j || Math.abs(value) < 1e-6) continue;
      const key = value > 0 ? 7 * i + j : 7 * j + i;
      flows.set(key, (flows.get(key) || 0) + Math.abs(value));
    }
  }
  return flows;
}

const said = (medium, value) => (medium === "power" ? power(value).join("\u202f") : rate(value) + MEDIA[medium].unit);

// What a domain's box says of each medium.
function figures(state) {
  const kw = (i, j) => state.power_kw[7 * i + j];
  const through = [kw(0, 1), kw(0, 1), kw(1, 2) - kw(2, 1), kw(2, 3) - kw(3, 2)];
  return room.scene.domains.map((_, k) => {
    let messages = 0;
    let money = 0;
    for (let j = 0; j < 7; j++) messages += state.delivered_per_s[7 * k + j] + state.delivered_per_s[7 * j + k];
    for (let j = 0; j < 9; j++) money += state.eur_per_s[9 * j + k] - state.eur_per_s[9 * k + j];
    return {
      power: k < 4 ? power(through[k]).join("\u202f") : null,
      messages: rate(messages) + "/s",
      money: (money > 0 ? "+" : "") + rate(money) + "\u202f\u20ac/s",
    };
  });
}

const SVG = "http://www.w3.org/2000/svg";

function made(name, attributes, parent) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  parent.appendChild(one);
  return one;
}

class Arrows {
  constructor(group, layout) {
    this.group = group;
    this.layout = layout;
    this.shown = new Map();
  }

  update(media, state, domains) {
    const seen = new Set();
    for (const medium of media) {
      const flows = flowsOf(medium, state);
      const largest = Math.max(...flows.values(), 1e-9);
      const exponent = medium === "power" ? 0.25 : 0.5; // a town beside a whole bulk system
      for (const [key, value] of flows) {
        const name = medium + key;
        seen.add(name);
        // Width by the root of the size, in halves: an arrow is drawn anew only when it has really changed.
        const width = Math.round(2 * (1 + 4.5 * (value / largest) ** exponent)) / 2;
        this.draw(name, medium, key, value, width, media.length === 1, domains);
      }
    }
    for (const [name, one] of this.shown) {
      if (!seen.has(name)) {
        one.g.remove();
        this.shown.delete(name);
      }
    }
  }

  draw(name, medium, key, value, width, isLabelled, domains) {
    let one = this.shown.get(name);
    if (!one) {
      const g = made("g", { class: `flow ${medium}` }, this.group);
      one = { g, title: made("title", {}, g), shaft: made("path", { class: "shaft" }, g), head: made("path", { class: "head" }, g), pulse: made("path", { class: "pulse" }, g), label: made("text", { class: "flow-label" }, g) };
      this.shown.set(name, one);
    }
    const [i, j] = [Math.floor(key / 7), key % 7];
    if (one.width !== width) {
      one.width = width;
      const { shaft, tip, at } = arrow(this.layout, i, j, medium, width);
      one.shaft.setAttribute("d", shaft);
      one.shaft.setAttribute("stroke-width", width);
      one.pulse.setAttribute("d", shaft);
      one.pulse.setAttribute("stroke-width", Math.max(1.5, width * 0.6));
      one.head.setAttribute("d", tip);
      one.label.setAttribute("x", at[0].toFixed(1));
      one.label.setAttribute("y", (at[1] + 4).toFixed(1));
      one.pulse.style.animationDuration = `${(3.2 - 0.4 * width).toFixed(1)}s`;
    }
    const label = said(medium, value);
    if (one.text !== label) {
      one.text = label;
      one.title.textContent = `${domains[i]} to ${domains[j]}: ${label}`;
    }
    const shown = isLabelled ? label : "";
    if (one.label.textContent !== shown) one.label.textContent = shown;
  }
}

const narrow = matchMedia("(max-width: 640px)");

export function Picture() {
  const [medium, setMedium] = useState("all");
  const arrows = useRef(null);
  const boxes = useRef(null);
  const [isNarrow, setNarrow] = useState(narrow.matches);
  const layout = isNarrow ? NARROW : WIDE;
  useEffect(() => {
    const changed = () => setNarrow(narrow.matches);
    narrow.addEventListener("change", changed);
    return () => narrow.removeEventListener("change", changed);
  }, []);
  const media = medium === "all" ? ["power", "messages", "money"] : [medium];
  useEffect(() => {
    const drawn = new Arrows(arrows.current, layout);
    const traffic = boxes.current.closest("section").querySelector('[data-figure="traffic"]');
    const draw = () => {
      const { state, scene, header } = room;
      if (!state) return;
      const said = `${rate(header.figures.lost_per_s)}/s lost, ${number(header.under_way)} under way`;
      if (traffic.textContent !== said) traffic.textContent = said;
      drawn.update(media, state, scene.domains);
      figures(state).forEach((one, k) => {
        for (const [name, value] of Object.entries(one)) {
          const at = boxes.current.querySelector(`[data-figure="${name}${k}"]`);
          if (at && at.textContent !== value) at.textContent = value;
        }
      });
    };
    draw();
    const stop = listen("state", draw);
    return () => {
      stop();
      arrows.current && arrows.current.replaceChildren();
    };
  }, [medium, isNarrow]);
  const domains = room.scene.domains;
  return html`<section class="card picture" aria-labelledby="picture-title">
    <div class="head"><h2 id="picture-title">Seven domains</h2>
      <div class="choice" role="group" aria-label="What the arrows show">
        ${["all", ...Object.keys(MEDIA)].map((one) => html`<button type="button" class=${one} aria-pressed=${medium === one} onClick=${() => setMedium(one)}>${one === "all" ? "All" : MEDIA[one].title}</button>`)}
      </div></div>
    <svg viewBox="0 0 ${layout.w} ${layout.h}" role="img" aria-label="Power, messages and money between the seven domains; the table below says the same in numbers">
      <g ref=${arrows}></g>
      <g ref=${boxes}>${layout.places.map(([x, y], k) => html`<g key=${k} transform="translate(${x - BOX_W / 2} ${y - BOX_H / 2})">
        <rect class="box" width=${BOX_W} height=${BOX_H} rx="7"></rect>
        <text class="box-label" x=${BOX_W / 2} y="18">${domains[k]}</text>
        ${["power", "messages", "money"].filter((one) => one !== "power" || k < 4).map((one, row, all) => html`<g class="figure ${one}" transform="translate(10 ${all.length === 3 ? 25 + 16 * row : 31 + 18 * row})">
          <path class="glyph" d=${GLYPHS[one]}></path>
          <text x=${BOX_W - 20} y="10" data-figure="${one}${k}"></text></g>`)}
      </g>`)}</g>
    </svg>
    <p class="small traffic"><span data-figure="traffic"></span></p><${Numbers} />
  </section>`;
}

// The same as a table, for those who do not see the picture, and for those who want the day's sums.
function Numbers() {
  const [isOpen, setOpen] = useState(false);
  const [, again] = useState(0);
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => again((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [isOpen]);
  return html`<details class="numbers" onToggle=${(event) => setOpen(event.target.open)}><summary>Numbers, and the day's money</summary>${isOpen && room.state && html`<${Table} />`}</details>`;
}

function Table() {
  const { state, scene } = room;
  const shown = figures(state);
  const posted = scene.domains.map((_, k) => {
    let sum = 0;
    for (let j = 0; j < 9; j++) sum += state.eur_posted[9 * j + k] - state.eur_posted[9 * k + j];
    return sum;
  });
  const today = scene.domains.map((_, k) => {
    let sum = 0;
    for (let j = 0; j < 9; j++) sum += state.eur_today[9 * j + k] - state.eur_today[9 * k + j];
    return sum;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Numbers of the seven domains"><table>
    <thead><tr><th scope="col">Domain</th><th scope="col">Power</th><th scope="col">Messages</th><th scope="col">Money</th><th scope="col">Today, \u20ac</th><th scope="col">Posted, \u20ac</th></tr></thead>
    <tbody>${scene.domains.map((name, k) => html`<tr><th scope="row">${name}</th><td>${shown[k].power || "\u2013"}</td><td>${shown[k].messages}</td><td>${shown[k].money}</td><td>${number(today[k])}</td><td>${number(posted[k])}</td></tr>`)}</tbody>
  </table></div><p class="small">Today: what would be owed if the day ended now, from the meters, by the rules that post it tomorrow; without fuel, upkeep and pay for flexibility. Posted: by the ledger since the run began.</p>`;
}
