// What is selected: a primary substation, a substation, or a house with its devices, messages and bill.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { ask, listen, room } from "./feed.js";
import { children, nodesOf, pointsOf } from "./oneline.js";
import { delay, euros, number, power, span, timeOf } from "./words.js";

const PARTS = { energy: "Energy and sales", network: "Networks and metering", state: "Levies and taxes", feed_in: "Feed-in", other: "Other" };

function useTold(what) {
  const [, again] = useState(0);
  useEffect(() => listen(what, () => again((n) => n + 1)), []);
}

const Value = ({ name, value, unit, stale }) => html`<div class="value ${stale ? "stale" : ""}"><dt>${name}</dt><dd>${value}<small> ${unit}</small></dd></div>`;

// Buttons that each make a change of the grid.
function Changes({ title, changes, known }) {
  const [said, setSaid] = useState(null);
  const offered = changes.filter(({ what }) => (known || []).some((one) => one.what === what));
  if (!offered.length) return null;
  const make = ({ what, given, name }) => async () => {
    setSaid({ text: `${name}: handed in \u2026`, isBad: false });
    try {
      await ask("/changes", { what, given, by: "control room" });
      setSaid({ text: `${name}: done at ${room.header.clock.local.slice(11, 19)}.`, isBad: false });
    } catch (error) {
      setSaid({ text: error.message, isBad: true });
    }
  };
  return html`<div class="switches" role="group" aria-label=${title}>${offered.map((one) => html`<button type="button" onClick=${make(one)}>${one.name}</button>`)}<p class=${said && said.isBad ? "problem" : "small"} role="status">${said ? said.text : ""}</p></div>`;
}

export function Selection({ selected, onSelect, onOpen, isOpen, changes }) {
  if (!selected) return html`<p class="nothing">Nothing is selected. Choose a substation or a house in the drawing or on the map, or find one by its number above the drawing.</p>`;
  if (selected.kind === "point") return html`<${House} point=${selected.id} onSelect=${onSelect} key=${selected.id} />`;
  if (selected.kind === "substation") return html`<${Substation} number=${selected.id} onSelect=${onSelect} onOpen=${onOpen} isOpen=${isOpen} changes=${changes} key=${selected.id} />`;
  if (selected.kind === "town") return html`<${Town} number=${selected.id} changes=${changes} key=${selected.id} />`;
  return html`<${Spot} node=${selected.id} onSelect=${onSelect} key=${selected.id} />`;
}

function Spot({ node, onSelect }) {
  useTold("state");
  const { scene, state } = room;
  const station = scene.nodes.substation[node];
  return html`<h3>${scene.nodes.name[node] || "End of a line"}</h3><dl class="values">
    <${Value} name="Voltage" value=${number(state.node_v_pu[node] * state.scale.node_v_pu, 3)} unit="pu" />
    <${Value} name="Line above it" value=${number(state.branch_pct[node] * state.scale.branch_pct)} unit="%" />
    <${Value} name="Nominal" value=${number(scene.nodes.kv[node], 1)} unit="kV" /></dl>
    ${station >= 0 && html`<p><button type="button" onClick=${() => onSelect({ kind: "substation", id: station })}>Substation ${scene.substations[station].name}</button></p>`}`;
}

function Town({ number: k, changes }) {
  useTold("state");
  const { scene, state } = room;
  const town = scene.towns[k];
  const [value, unit] = power(state.infeed_kw[k]);
  return html`<h3>Primary substation ${town.name}</h3><dl class="values">
    <${Value} name="Infeed" value=${value} unit=${unit} /><${Value} name="Reactive" value=${number(state.infeed_kvar[k] / 1000, 2)} unit="Mvar" />
    <${Value} name="Busbar" value=${number(state.busbar_v_pu[k], 4)} unit="pu" /><${Value} name="Aim" value=${number(state.busbar_target_pu[k], 4)} unit="pu" />
    <${Value} name="Tap" value=${number(state.tap[k])} unit="" /></dl>
    <${Command} title="Voltage of the busbar" fields=${[{ name: "target_pu", title: "Aim, pu", value: Number((state.busbar_target_pu[k] || 1).toFixed(3)), step: 0.005, low: 0.9, high: 1.1 }]} given=${{ what: "busbar", town: k }} note="Goes to the tap changer over the modelled network; operations set it anew each quarter hour." />
    <h4>Tap by hand</h4><${Changes} title="Tap changer" known=${changes} changes=${[{ what: "tap", given: { town: k, steps: -1 }, name: "Tap down, voltage up" }, { what: "tap", given: { town: k, steps: 1 }, name: "Tap up, voltage down" }, { what: "regulate", given: { town: k, automatic: true }, name: "Let it regulate" }]} />`;
}

function Substation({ number: k, onSelect, onOpen, isOpen, changes }) {
  useTold("state");
  const { scene, state } = room;
  const one = scene.substations[k];
  const [value, unit] = power(state.substation_kw[k]);
  const points = nodesOf(k).flatMap(pointsOf).sort((a, b) => a - b);
  const [all, setAll] = useState(false);
  return html`<h3>Substation ${one.name}</h3><dl class="values">
    <${Value} name="Loading" value=${number(state.substation_pct[k], 1)} unit="% of ${number(one.kva)} kVA" /><${Value} name="Power" value=${value} unit=${unit} />
    <${Value} name="Busbar" value=${number(state.substation_v_pu[k], 3)} unit="pu" /><${Value} name="Without supply" value=${state.substation_off[k]} unit="of ${points.length}" /></dl>
    <p><button type="button" class="main" onClick=${() => onOpen(isOpen ? null : k)}>${isOpen ? "Back to medium voltage" : "Open its one-line drawing"}</button></p>
    <${Changes} title="Switch" known=${changes} changes=${[{ what: "open", given: { where: `substation ${k}` }, name: "Open its switch" }, { what: "close", given: {}, name: "Close all switches" }]} />
    <h4>Its metering points</h4><p class="points">${(all ? points : points.slice(0, 24)).map((point) => html`<button type="button" class="chip" aria-label=${`${point < scene.points.customers ? "Customer" : "Producer"} ${point}`} onClick=${() => onSelect({ kind: "point", id: point })}>${point}</button>`)}
    ${!all && points.length > 24 && html`<button type="button" class="chip more" onClick=${() => setAll(true)}>all ${points.length}</button>`}</p>`;
}

function House({ point, onSelect }) {
  const [house, setHouse] = useState(null);
  const [problem, setProblem] = useState("");
  const [heardAt, setHeardAt] = useState(0);
  useEffect(() => {
    let isOver = false;
    const look = async () => {
      try {
        const found = await ask(`/room/points/${point}`);
        if (!isOver) {
          setHouse(found);
          setHeardAt(performance.now());
          setProblem("");
        }
      } catch (error) {
        if (!isOver) setProblem(error.message);
      }
    };
    look();
    const timer = setInterval(() => !document.hidden && look(), 1000);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [point]);
  if (!house) return html`<p class="nothing">${problem || "Looking \u2026"}</p>`;
  const { zone } = room.scene;
  const isStale = performance.now() - heardAt > 5000 || !!problem;
  const [value, unit] = power(house.p_kw);
  const station = room.scene.substations[house.substation];
  return html`<div class=${isStale ? "stale" : ""}><h3>${house.tariff ? "Customer" : "Producer"} ${point} <small>${house.name}</small></h3>
    <p class="small">${house.bus}, <button type="button" class="link" onClick=${() => onSelect({ kind: "substation", id: house.substation })}>substation ${station.name}</button>${house.tariff && `; ${house.retailer}, ${house.tariff} tariff`}</p>
    <dl class="values"><${Value} name=${house.p_kw < 0 ? "Feeds in" : "Draws"} value=${number(Math.abs(house.p_kw), 2)} unit="kW" /><${Value} name="Voltage" value=${house.is_supplied ? number(house.v_pu, 3) : "none"} unit=${house.is_supplied ? "pu" : ""} />
      <${Value} name="Meter heard" value=${span(house.heard_s)} unit=${house.heard_s === null ? "" : "ago"} stale=${house.heard_s === null || house.heard_s > 3600} /><${Value} name="Bill today" value=${euros(house.bill.total)} unit="\u20ac" /></dl>
    <h4>Devices</h4>${house.devices.length === 0 ? html`<p class="small">None that could be steered.</p>` : html`<ul class="devices">${house.devices.map((one) => html`<${DeviceRow} device=${one} key=${one.name} zone=${zone} />`)}</ul>`}
    <h4>Bill since ${timeOf(house.bill.since_ns, zone, false)}</h4>
    <div class="scroll" tabindex="0" role="region" aria-label="Bill"><table><tbody>${room.scene.bill_parts.filter((one) => Math.abs(house.bill[one]) >= 0.005).map((one) => html`<tr><th scope="row">${PARTS[one] || one}</th><td>${euros(house.bill[one])} \u20ac</td></tr>`)}<tr class="sum"><th scope="row">Owed so far</th><td>${euros(house.bill.total)} \u20ac</td></tr></tbody></table></div>
    <h4>Way of its messages</h4><${Way} from=${`gateway ${point}`} way=${house.way} />
    <h4>Last messages</h4>
    ${house.messages.length === 0 ? html`<p class="small">None yet.</p>` : html`<ol class="messages">${house.messages.map((one) => html`<li key=${one.id}><details><summary><span class="fate ${one.fate === "delivered" ? "good" : one.fate === "under way" ? "open" : "bad"}" aria-hidden="true">${one.fate === "delivered" ? "\u2713" : one.fate === "under way" ? "\u2026" : "\u00d7"}</span> <time>${timeOf(one.sent_ns, zone)}</time> ${one.is_outgoing ? "to" : "from"} ${one.other}: ${one.kind}${one.topic !== one.kind && !one.kind.includes(one.topic) ? `, ${one.topic.replace(/[._]/g, " ")}` : ""} <b>${one.delay_s === null ? one.fate : delay(one.delay_s)}</b></summary><p class="small">Message ${one.id}. ${one.fate === "delivered" ? `Arrived ${delay(one.delay_s)} after it was sent.` : one.fate === "under way" ? "Not arrived yet." : `It was ${one.fate}.`}</p><${Way} way=${one.way} /></details></li>`)}</ol>`}</div>`;
}

function Way({ from, way }) {
  return html`<ol class="way">${from && html`<li>${from}</li>`}${way.map((one) => html`<li><span class="over">${one.over}</span> ${one.to}</li>`)}</ol>`;
}

function DeviceRow({ device, zone }) {
  const [isOpen, setOpen] = useState(false);
  const [value, unit] = power(Math.abs(device.power_kw));
  const facts = [];
  if (device.content_kwh !== null && device.content_kwh !== undefined) facts.push(`holds ${number(device.content_kwh, 1)} kWh`);
  if (device.is_home === false) facts.push("away");
  if (device.ordered_kw !== null && device.ordered_kw !== undefined) facts.push(`ordered ${number(device.ordered_kw, 1)} kW until ${timeOf(device.ordered_until_ns, zone, false)}`);
  return html`<li><div class="row"><b>${device.one}</b> <span class="small">${device.name}</span><span class="power">${device.power_kw < -1e-9 ? "gives " : "draws "}${value} ${unit}</span></div>
    <p class="small">${facts.join(", ")} <button type="button" class="link" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${isOpen ? "Close" : "Set-point"}</button></p>
    ${isOpen && html`<${Command} title=${`Power of ${device.name}`} fields=${[{ name: "power_kw", title: "kW, below 0 it gives", value: 0, step: 0.1, low: -10000, high: 10000 }, { name: "minutes", title: "for minutes", value: 15, step: 1, low: 1, high: 1440 }]} given=${{ what: "order", device: device.name }} note="Goes to the device over the modelled network, and may be lost." />`}</li>`;
}

export function Command({ title, fields, given, note }) {
  const [said, setSaid] = useState(null);
  const [values, setValues] = useState(Object.fromEntries(fields.map((one) => [one.name, one.value])));
  const [isBusy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setSaid({ text: "Sent; waiting until it arrives \u2026", isBad: false });
    try {
      const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
      const { arrived_ns } = await ask("/room/do", { ...given, ...numbers });
      setSaid({ text: `Arrived at ${timeOf(arrived_ns, room.scene.zone)}.`, isBad: false });
    } catch (error) {
      setSaid({ text: error.message, isBad: true });
    }
    setBusy(false);
  };
  return html`<form class="command" onSubmit=${send} aria-label=${title}><p class="form-title">${title}</p>
    ${fields.map((one) => html`<label>${one.title}<input type="number" required step=${one.step} min=${one.low} max=${one.high} value=${values[one.name]} onInput=${(event) => setValues({ ...values, [one.name]: event.target.value })} /></label>`)}
    <button type="submit" class="main" disabled=${isBusy}>Send</button><p class="small">${note}</p><p class=${said && said.isBad ? "problem" : "small"} role="status">${said ? said.text : ""}</p></form>`;
}
