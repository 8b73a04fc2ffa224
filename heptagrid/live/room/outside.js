// Who is connected from outside, with the decoded frames; and what can be broken or switched.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { ask, room } from "./feed.js";
import { delay, number, timeOf } from "./words.js";

export function Connected() {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState("");
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    const look = () => ask("/room/peers").then((one) => (setFound(one), setProblem("")), (error) => setProblem(error.message));
    look();
    const timer = setInterval(() => !document.hidden && look(), 1000);
    return () => clearInterval(timer);
  }, []);
  if (!found) return html`<p class="nothing">${problem || "Looking \u2026"}</p>`;
  const { zone } = room.scene;
  const matches = (one) => !wanted || `${one.protocol} ${one.address} ${one.device} ${one.text}`.toLowerCase().includes(wanted.toLowerCase());
  const frames = found.frames.filter(matches).reverse().slice(0, 100);
  const roles = Object.entries(found.roles);
  const counts = Object.entries(found.counts);
  return html`<div class=${problem ? "stale" : ""}>
    <h3>Connected</h3>
    ${found.peers.length === 0 ? html`<p class="nothing">Nobody is connected over a protocol. The lines that serve printed say how to connect.</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label="Who is connected"><table class="peers"><thead><tr><th scope="col">Protocol</th><th scope="col">From</th><th scope="col">As</th><th scope="col">Device</th><th scope="col">Since</th><th scope="col">Frames</th></tr></thead>
      <tbody>${found.peers.map((one) => html`<tr><th scope="row">${one.protocol}</th><td>${one.address}</td><td>${one.role}</td><td>${one.device || "\u2013"}</td><td>${timeOf(one.since_ns, zone, false)}</td><td>${number(one.frames)}${one.refused > 0 && html`, <b class="bad">${number(one.refused)} refused</b>`}</td></tr>`)}</tbody></table></div>`}
    <p class="small">${roles.length ? roles.map(([role, who]) => `${role} is played by ${who}`).join("; ") : "All desks are played by the simulation itself."}</p>
    ${counts.length > 0 && html`<h4>Refused or malformed</h4><ul class="counts">${counts.map(([what, count]) => html`<li><b>${number(count)}</b> ${what}</li>`)}</ul>`}
    <h4>Frames</h4>
    <label class="search">Show only <input type="search" value=${wanted} placeholder="protocol, device, word" onInput=${(event) => setWanted(event.target.value)} /></label>
    ${frames.length === 0 ? html`<p class="small">${found.frames.length ? "No frame matches." : "No frame yet."}</p>` : html`<ol class="frames">${frames.map((one) => html`<li class=${one.is_inward ? "inward" : "outward"}><time>${timeOf(one.ns, zone)}</time> <span class="arrow" aria-label=${one.is_inward ? "received" : "sent"}>${one.is_inward ? "\u2192" : "\u2190"}</span> <b>${one.protocol}</b> ${one.device || one.address} <code>${one.text}</code> <span class="small">${number(one.size_bytes)} B, ${one.delay_s === null ? "lost" : delay(one.delay_s)}</span></li>`)}</ol>`}
  </div>`;
}

export function useChanges() {
  const [changes, setChanges] = useState(null);
  useEffect(() => {
    ask("/changes").then((found) => setChanges(found.changes), () => setChanges(null));
  }, []);
  return changes;
}

export function Faults({ changes, selected }) {
  const [what, setWhat] = useState(changes[0].what);
  const chosen = changes.find((one) => one.what === what);
  const [log, setLog] = useState([]);
  return html`<div><h3>Faults and switches</h3>
    <label class="wide">What happens<select value=${what} onChange=${(event) => setWhat(event.target.value)}>${changes.map((one) => html`<option value=${one.what}>${one.title || one.what}</option>`)}</select></label>
    <${ChangeForm} key=${what} change=${chosen} selected=${selected} onDone=${(one) => setLog([one, ...log].slice(0, 20))} />
    ${log.length > 0 && html`<h4>Done from here</h4><ul class="counts">${log.map((one) => html`<li><time>${one.at}</time> ${one.text}</li>`)}</ul>`}</div>`;
}

const plain = (text) => (text || "").replaceAll("`", "");

// A field's first value: what is selected, where that is meant, else its default.
function firstValue(field, selected) {
  if (selected && selected.kind === "substation" && field.name === "where") return `substation ${selected.id}`;
  if (selected && selected.kind === "point" && (field.name === "meter" || field.name === "number")) return selected.id;
  return field.default === undefined || field.default === null ? "" : field.default;
}

function ChangeForm({ change, selected, onDone }) {
  const [values, setValues] = useState(() => Object.fromEntries(change.fields.map((one) => [one.name, firstValue(one, selected)])));
  const [said, setSaid] = useState(null);
  const set = (name, value) => setValues({ ...values, [name]: value });
  const send = async (event) => {
    event.preventDefault();
    const given = {};
    for (const { name, json_type } of change.fields) {
      const value = values[name];
      if (value === "" || value === null) continue;
      given[name] = json_type === "number" || json_type === "integer" ? Number(value) : value;
    }
    setSaid({ text: "Handed in; it is done before the next step \u2026", isBad: false });
    try {
      await ask("/changes", { what: change.what, given, by: "control room" });
      const text = `${change.title || change.what}: ${Object.entries(given).map(([name, value]) => `${name} ${value}`).join(", ") || "done"}`;
      setSaid({ text: "Done.", isBad: false });
      onDone({ at: room.header.clock.local.slice(11, 19), text });
    } catch (error) {
      setSaid({ text: error.message, isBad: true });
    }
  };
  return html`<form class="command" onSubmit=${send} aria-label=${change.title || change.what}><p class="small whole">${plain(change.info)}</p>
    ${change.fields.map((one) => html`<${Field} field=${one} value=${values[one.name]} set=${(value) => set(one.name, value)} />`)}
    <button type="submit" class="danger">Do it</button><p class=${said && said.isBad ? "problem" : "small"} role="status">${said ? said.text : ""}</p></form>`;
}

function Field({ field, value, set }) {
  const title = field.name.replace(/_(s|kw|pu|pct)$/, "").replace(/_/g, " ") + (field.unit ? `, ${field.unit}` : "");
  const id = `field-${field.name}`;
  let input;
  if (field.choices) input = html`<select id=${id} value=${value} aria-describedby=${id + "-info"} onChange=${(event) => set(event.target.value)}>${field.choices.map((one) => html`<option>${one}</option>`)}</select>`;
  else if (field.json_type === "boolean") input = html`<input id=${id} type="checkbox" checked=${value === true} aria-describedby=${id + "-info"} onChange=${(event) => set(event.target.checked)} />`;
  else if (field.json_type === "string") input = html`<input id=${id} type="text" required=${field.is_required} value=${value} aria-describedby=${id + "-info"} onInput=${(event) => set(event.target.value)} />`;
  else input = html`<input id=${id} type="number" required=${field.is_required} step=${field.json_type === "integer" ? 1 : "any"} min=${field.low} max=${field.high} value=${value} aria-describedby=${id + "-info"} onInput=${(event) => set(event.target.value)} />`;
  return html`<div class="field"><label for=${id}>${title}</label>${input}<p class="small" id=${id + "-info"}>${plain(field.info)}</p></div>`;
}
