// The network as a one-line drawing: medium voltage with its substations, or what hangs below one of them.

import { html, useEffect, useMemo, useRef } from "./vendor/htm-preact.js";
import { listen, room } from "./feed.js";
import { MODES, classOf, number, power } from "./words.js";

const MV = { dx: 35, dy: 25, left: 206, top: 24, right: 12 };
const LV = { dx: 30, dy: 17, left: 60, top: 26, right: 30 };

// Rows and columns of a tree: the longest branch goes straight on, the others take rows of their own below it.
export function treeLayout(root, children) {
  const depth = new Map();
  const order = [];
  const stack = [root];
  while (stack.length) {
    const node = stack.pop();
    order.push(node);
    for (const child of children(node)) stack.push(child);
  }
  for (const node of order.slice().reverse()) depth.set(node, 1 + Math.max(0, ...children(node).map((one) => depth.get(one))));
  const places = new Map();
  let rows = 0;
  const walk = [[root, 0, 0]];
  while (walk.length) {
    const [node, column, given] = walk.pop();
    const row = given === null ? rows++ : given;
    if (given !== null && row >= rows) rows = row + 1;
    places.set(node, { column, row });
    const below = children(node).slice().sort((a, b) => depth.get(b) - depth.get(a));
    // The first goes on in this row and is walked first: later ones wait until its rows are known.
    for (const child of below.slice(1).reverse()) walk.push([child, column + 1, null]);
    if (below.length) walk.push([below[0], column + 1, row]);
  }
  return { places, rows, columns: 1 + Math.max(...[...places.values()].map((one) => one.column)) };
}

let childrenOf = null;
export function children(node) {
  if (!childrenOf) {
    childrenOf = new Map();
    room.scene.nodes.parent.forEach((parent, k) => {
      if (parent >= 0) childrenOf.has(parent) ? childrenOf.get(parent).push(k) : childrenOf.set(parent, [k]);
    });
  }
  return childrenOf.get(node) || [];
}

let pointsAt = null;
export function pointsOf(node) {
  if (!pointsAt) {
    pointsAt = new Map();
    room.scene.points.node.forEach((at, point) => (pointsAt.has(at) ? pointsAt.get(at).push(point) : pointsAt.set(at, [point])));
  }
  return pointsAt.get(node) || [];
}

export function nodesOf(substation) {
  const found = [];
  room.scene.nodes.substation.forEach((one, k) => one === substation && found.push(k));
  return found;
}

function drawingOf(open) {
  const { nodes, substations, towns } = room.scene;
  const isLow = open !== null;
  const size = isLow ? LV : MV;
  const below = isLow ? children : (node) => children(node).filter((one) => nodes.kv[one] > 1);
  const roots = isLow ? [substations[open].node] : towns.map((one) => one.busbar);
  let top = size.top;
  let columns = 0;
  const items = [];
  const bars = [];
  for (const [number_, root] of roots.entries()) {
    const { places, rows, columns: wide } = isLow ? treeLayout(root, below) : bush(root, below);
    columns = Math.max(columns, wide);
    const at = (node) => {
      const { column, row } = places.get(node);
      return [size.left + column * size.dx, top + row * size.dy];
    };
    for (const node of places.keys()) {
      if (node === root) continue;
      const [x, y] = at(node);
      const parent = nodes.parent[node];
      const [px, py] = at(parent);
      const from = parent === root ? [size.left, y] : [px, py];
      items.push({ node, x, y, path: from[1] === y ? `M${from[0]} ${y}H${x}` : `M${from[0] + 0.35 * size.dx} ${from[1]}V${y}H${x}`, isFirst: parent === root });
    }
    const feeders = below(root).map((node) => ({ name: `F${nodes.feeder[node]}`, y: at(node)[1] }));
    bars.push({ feeders, town: number_, node: root, x: size.left, top: top - 9, bottom: top + (rows - 1) * size.dy + 9 });
    top += rows * size.dy + 34;
  }
  const stationAt = new Map();
  if (!isLow) substations.forEach((one, k) => stationAt.set(nodes.parent[one.node], k));
  for (const item of items) item.station = stationAt.has(item.node) ? stationAt.get(item.node) : null;
  return { items, bars, width: size.left + columns * size.dx + size.right, height: Math.max(top - 16, 150), isLow };
}

// A busbar: each feeder begins a row of its own.
function bush(root, below) {
  const places = new Map([[root, { column: 0, row: 0 }]]);
  let rows = 0;
  let columns = 1;
  for (const feeder of below(root)) {
    const one = treeLayout(feeder, below);
    for (const [node, { column, row }] of one.places) places.set(node, { column: column + 1, row: rows + row });
    rows += one.rows;
    columns = Math.max(columns, one.columns + 1);
  }
  return { places, rows, columns };
}

function deliveryClass(substation, members) {
  const silent = room.state.silent_min;
  let late = 0;
  let gone = 0;
  let known = 0;
  for (const node of members) {
    if (silent[node] === 255) continue;
    known++;
    if (silent[node] >= 60) gone++;
    else if (silent[node] >= 20) late++;
  }
  return !known ? 0 : gone > 0.05 * known ? 3 : gone + late > 0.2 * known ? 2 : 1;
}

const widthOf = (pct) => (pct >= 100 ? "w3" : pct >= 80 ? "w2" : pct >= 50 ? "w1" : "w0");

export function OneLine({ mode, open, selected, onSelect }) {
  const svg = useRef(null);
  const drawing = useMemo(() => drawingOf(open), [open]);
  const members = useMemo(() => room.scene.substations.map((_, k) => nodesOf(k)), []);
  useEffect(() => {
    const parts = drawing.items.map((one) => ({
      ...one,
      wire: svg.current.querySelector(`[data-wire="${one.node}"]`),
      mark: svg.current.querySelector(`[data-mark="${one.node}"]`),
      ring: svg.current.querySelector(`[data-ring="${one.node}"]`),
      flag: svg.current.querySelector(`[data-flag="${one.node}"]`),
      sign: svg.current.querySelector(`[data-sign="${one.node}"]`),
    }));
    const styles = MODES[mode].classes;
    const put = (element, name, value) => element && element.getAttribute(name) !== value && element.setAttribute(name, value);
    const draw = () => {
      const { state, alarms } = room;
      if (!state) return;
      const alarmed = new Set(alarms.filter((one) => one.is_active).map((one) => one.goes_to));
      for (const one of parts) {
        const v = state.node_v_pu[one.node] * state.scale.node_v_pu;
        const pct = state.branch_pct[one.node] * state.scale.branch_pct;
        const wire = mode === "voltage" ? classOf(mode, v, v === 0) : mode === "loading" ? classOf(mode, pct, v === 0) : 0;
        put(one.wire, "class", `wire ${mode === "delivery" ? "plain" : styles[wire].style} ${widthOf(pct)}`);
        let sign = wire;
        if (one.station !== null) {
          const off = state.substation_v_pu[one.station] === 0;
          const load = state.substation_pct[one.station];
          sign = mode === "voltage" ? classOf(mode, state.substation_v_pu[one.station], off) : mode === "loading" ? classOf(mode, load, off) : deliveryClass(one.station, members[one.station]);
          put(one.ring, "stroke-dasharray", `${Math.min(load, 100).toFixed(0)} 100`);
          put(one.ring, "class", `ring-load ${load >= 100 ? "over" : load >= 80 ? "near" : ""}`);
          put(one.mark, "class", `station ${styles[sign].style}`);
          put(one.flag, "class", `flag ${alarmed.has(`substation/${one.station}`) ? "" : "down"}`);
        } else if (mode === "delivery") {
          const silent = state.silent_min[one.node];
          sign = silent === 255 ? 0 : classOf(mode, silent);
          put(one.mark, "class", `spot ${styles[sign].style}`);
        } else {
          put(one.mark, "class", `spot ${styles[sign].style}`);
        }
        if (one.sign && one.sign.textContent !== styles[sign].mark) one.sign.textContent = styles[sign].mark;
      }
      drawBars(svg.current, drawing, state);
    };
    draw();
    const stops = [listen("state", draw), listen("alarms", draw)];
    return () => stops.forEach((stop) => stop());
  }, [drawing, mode]);

  const step = (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up" };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const all = [...svg.current.querySelectorAll("[data-stop]")];
    const here = all.indexOf(document.activeElement);
    if (here < 0) return;
    let to = here + move;
    if (typeof move === "string") {
      const box = all[here].getBoundingClientRect();
      const wanted = all.map((one, k) => ({ k, box: one.getBoundingClientRect() })).filter(({ box: other }) => (move === "down" ? other.top > box.top + 4 : other.top < box.top - 4));
      wanted.sort((a, b) => Math.abs(a.box.top - box.top) * 3 + Math.abs(a.box.left - box.left) - Math.abs(b.box.top - box.top) * 3 - Math.abs(b.box.left - box.left));
      to = wanted.length ? wanted[0].k : here;
    }
    if (all[to]) {
      all.forEach((one) => one.setAttribute("tabindex", "-1"));
      all[to].setAttribute("tabindex", "0");
      all[to].focus();
    }
  };
  const { items, bars, width, height, isLow } = drawing;
  let stops = 0;
  const stop = (what) => ({
    "data-stop": "",
    tabindex: stops++ ? -1 : 0,
    role: "button",
    onClick: () => onSelect(what),
    onKeyDown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), onSelect(what)),
  });
  const home = selected && selected.kind === "point" ? room.scene.points.node[selected.id] : -1;
  const isChosen = ({ kind, id }) => selected && ((selected.kind === kind && selected.id === id) || (home >= 0 && (kind === "substation" ? room.scene.nodes.substation[home] === id : kind === "point" && room.scene.points.node[id] === home)));
  return html`<div class="oneline scroll ${isLow ? "low" : ""}" tabindex="-1"><svg ref=${svg} viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="group" aria-label=${isLow ? `One-line drawing below substation ${room.scene.substations[open].name}` : "One-line drawing of the medium-voltage network"} onKeyDown=${step}>
    ${items.map((one) => html`<path key=${"w" + one.node} class="wire" data-wire=${one.node} d=${one.path} />`)}
    ${bars.map((one) => html`<${Bar} key=${"b" + one.town} bar=${one} isLow=${isLow} open=${open} stop=${stop} isChosen=${isChosen({ kind: "town", id: one.town })} />`)}
    ${items.map((one) => {
      if (one.station !== null) {
        const station = room.scene.substations[one.station];
        const what = { kind: "substation", id: one.station };
        return html`<g key=${"m" + one.node} class="stop ${isChosen(what) ? "chosen" : ""}" transform="translate(${one.x} ${one.y})" ...${stop(what)} aria-label=${`Substation ${station.name}`}>
          <title>${station.name}, ${number(station.kva)} kVA</title>
          <circle class="halo" r="12.5" /><circle class="station" data-mark=${one.node} r="7.5" /><circle class="ring-load" data-ring=${one.node} r="9.6" pathLength="100" transform="rotate(-90)" />
          <text class="sign" data-sign=${one.node} y="3.4"></text><path class="flag down" data-flag=${one.node} d="M-11 -5.5h9l-4.5 -8.5Z" /></g>`;
      }
      const houses = isLow ? pointsOf(one.node) : [];
      if (houses.length) {
        const what = { kind: "point", id: houses[0] };
        return html`<g key=${"m" + one.node} class="stop ${isChosen(what) ? "chosen" : ""}" transform="translate(${one.x} ${one.y})" ...${stop(what)} aria-label=${`${houses.length === 1 ? "Customer" : "Customers"} ${houses.join(", ")}`}>
          <title>${room.scene.nodes.name[one.node]}: ${houses.length === 1 ? "customer" : "customers"} ${houses.join(", ")}</title>
          <rect class="halo" x="-8" y="-8" width="16" height="16" rx="3" /><rect class="spot" data-mark=${one.node} x="-5.5" y="-5.5" width="11" height="11" rx="2" /><text class="sign small-sign" data-sign=${one.node} y="3"></text></g>`;
      }
      return html`<circle key=${"m" + one.node} class="spot" data-mark=${one.node} cx=${one.x} cy=${one.y} r="2.2"><title>${room.scene.nodes.name[one.node]}</title></circle>`;
    })}
  </svg></div>`;
}

function Bar({ bar, isLow, open, stop, isChosen }) {
  const { scene } = room;
  const middle = (bar.top + bar.bottom) / 2;
  if (isLow) {
    const station = scene.substations[open];
    return html`<g><line class="busbar" x1=${bar.x} x2=${bar.x} y1=${bar.top} y2=${bar.bottom} /><g class="transformer" transform="translate(22 ${bar.top + 9})"><path d="M-16 0H-9M19 0h19" /><circle r="8" cx="0" /><circle r="8" cx="10" /></g><text class="bar-name" x="4" y=${bar.top - 4}>${station.name}, ${number(station.kva)} kVA</text></g>`;
  }
  const town = scene.towns[bar.town];
  const what = { kind: "town", id: bar.town };
  const kva = town.primary.reduce((sum, one) => sum + one.kva, 0);
  return html`<g class="stop primary ${isChosen ? "chosen" : ""}" ...${stop(what)} aria-label=${`Primary substation of ${town.name}`}>
    <rect class="halo" x="2" y=${middle - 74} width="166" height="150" rx="8" />
    ${bar.feeders.map(({ name, y }) => html`<text class="feeder-name" x=${bar.x - 8} y=${y + 4}>${name}</text>`)}
    <line class="busbar" data-bar=${bar.town} x1=${bar.x} x2=${bar.x} y1=${bar.top} y2=${bar.bottom} />
    <path class="infeed" d="M10 ${middle}H46M82 ${middle}H${bar.x}" /><circle class="source" cx="10" cy=${middle} r="6" />
    <circle class="winding" cx="56" cy=${middle} r="13" /><circle class="winding" cx="72" cy=${middle} r="13" />
    <text class="bar-name" x="6" y=${middle - 56}>${town.name}</text>
    <text class="bar-line" x="6" y=${middle - 40}>${town.primary.length} \u00d7 ${number(kva / Math.max(town.primary.length, 1) / 1000, kva % 1000 ? 1 : 0)} MVA</text>
    <text class="bar-line" data-say="tap${bar.town}" x="6" y=${middle - 24}></text>
    <text class="bar-line strong" data-say="flow${bar.town}" x="6" y=${middle + 34}></text>
    <text class="bar-line" data-say="kvar${bar.town}" x="6" y=${middle + 50}></text>
    <text class="bar-line strong" data-say="volt${bar.town}" x="6" y=${middle + 66}></text></g>`;
}

function drawBars(svg, drawing, state) {
  if (drawing.isLow) return;
  const say = (name, text) => {
    const at = svg.querySelector(`[data-say="${name}"]`);
    if (at && at.textContent !== text) at.textContent = text;
  };
  for (const { town } of drawing.bars) {
    const [value, unit] = power(state.infeed_kw[town]);
    say(`flow${town}`, `${value} ${unit} ${state.infeed_kw[town] < 0 ? "\u2190 fed back" : "\u2192 taken"}`);
    say(`kvar${town}`, `${number(state.infeed_kvar[town] / 1000, 2)} Mvar`);
    say(`volt${town}`, `${number(state.busbar_v_pu[town], 3)} pu${Number.isFinite(state.busbar_target_pu[town]) ? ` (aim ${number(state.busbar_target_pu[town], 3)})` : ""}`);
    say(`tap${town}`, Number.isFinite(state.tap[town]) ? `tap ${number(state.tap[town])}` : "");
  }
}
