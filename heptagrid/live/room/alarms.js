// The list of alarms: active, returned, acknowledged, silenced and cleared ones differ, and none disappears.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { listen, noteAlarm, room } from "./feed.js";
import { timeOf } from "./words.js";

export const STATES = {
  active: { title: "Active", mark: "\u25b2" },
  returned: { title: "Back to normal, not acknowledged", mark: "\u25bd" },
  acknowledged: { title: "Acknowledged", mark: "\u25b3" },
  silenced: { title: "Silenced", mark: "\u25a1" },
  cleared: { title: "Cleared", mark: "\u2713" },
};
const MANY = 4; // alarms of a kind and state, beyond which they are listed as one
const PRIORITIES = ["", "urgent", "high", "low"];

export function Alarms({ onGo }) {
  const [alarms, setAlarms] = useState(room.alarms);
  const [shown, setShown] = useState("all");
  const [problem, setProblem] = useState("");
  useEffect(() => listen("alarms", () => setAlarms(room.alarms)), []);
  const counts = {};
  for (const one of alarms) counts[one.state] = (counts[one.state] || 0) + 1;
  const act = (which, what, minutes) => async () => {
    try {
      await noteAlarm({ ...which, do: what, ...(minutes === undefined ? {} : { minutes }) });
      setProblem("");
    } catch (error) {
      setProblem(error.message);
    }
  };
  const list = alarms.filter((one) => shown === "all" || one.state === shown);
  const wants = (counts.active || 0) + (counts.returned || 0);
  return html`<div class="alarms">
    <div class="tools"><div class="filter" role="group" aria-label="Which alarms are listed">
      <button type="button" aria-pressed=${shown === "all"} onClick=${() => setShown("all")}>All <b>${alarms.length}</b></button>
      ${Object.entries(STATES).map(([state, { title, mark }]) => html`<button type="button" class=${state} aria-pressed=${shown === state} title=${title} onClick=${() => setShown(state)}><span aria-hidden="true">${mark}</span> <span class="hidden">${title}: </span><b>${counts[state] || 0}</b></button>`)}
    </div><button type="button" class="main" disabled=${!wants} onClick=${act({}, "acknowledge")}>Acknowledge all</button></div>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    ${list.length === 0 && html`<p class="nothing">${alarms.length ? "No alarm is in this state." : "No alarm since the grid began: voltages, loading, supply, messages, outsiders and the clock are watched."}</p>`}
    <ul>${grouped(list).map((group) => (group.length > MANY ? html`<${Group} key=${group[0].kind + group[0].state} group=${group} act=${act} onGo=${onGo} />` : group.map((one) => html`<${Row} key=${one.id} alarm=${one} act=${act} onGo=${onGo} />`)))}</ul>
  </div>`;
}

// Alarms of one kind in one state, together, where the first of them stands.
function grouped(list) {
  const groups = new Map();
  for (const one of list) {
    const key = one.kind + one.state;
    groups.has(key) ? groups.get(key).push(one) : groups.set(key, [one]);
  }
  return [...groups.values()];
}

function Group({ group, act, onGo }) {
  const [isOpen, setOpen] = useState(false);
  const { kind, state, priority } = group[0];
  const { title, mark } = STATES[state];
  const worst = group.reduce((a, b) => (Math.abs(b.value - b.limit) > Math.abs(a.value - a.limit) ? b : a));
  const wanting = ["active", "returned"].includes(state);
  return html`<li class="alarm ${state} p${priority}"><span class="mark" aria-hidden="true">${mark}</span>
    <div class="what"><p class="line"><b>${kind[0].toUpperCase() + kind.slice(1)} at ${group.length} places</b> <span class="badge">${title}</span> <span class="badge priority">${PRIORITIES[priority]}</span></p>
      <p class="line">Worst at ${worst.place}: ${worst.value} ${worst.unit}</p><p class="small">since ${timeOf(Math.min(...group.map((one) => one.since_ns)), room.scene.zone)} \u00b7 <button type="button" class="link" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${isOpen ? "List them no longer" : "List them"}</button></p></div>
    <div class="do">${wanting && html`<button type="button" aria-label=${`Acknowledge all ${kind}`} onClick=${act({ kind }, "acknowledge")}>Ack</button>`}${state !== "cleared" && html`<button type="button" aria-label=${`${state === "silenced" ? "No longer silence" : "Silence"} all ${kind}`} onClick=${act({ kind }, "silence", state === "silenced" ? 0 : 10)}>${state === "silenced" ? "Unsilence" : "Silence"}</button>`}</div>
    ${isOpen && html`<ul class="inner">${group.map((one) => html`<${Row} key=${one.id} alarm=${one} act=${act} onGo=${onGo} />`)}</ul>`}</li>`;
}

function Row({ alarm, act, onGo }) {
  const { zone } = room.scene;
  const { title, mark } = STATES[alarm.state];
  const times = [`since ${timeOf(alarm.since_ns, zone)}`];
  if (alarm.cleared_ns) times.push(`cleared ${timeOf(alarm.cleared_ns, zone)}`);
  if (alarm.acknowledged_ns) times.push(`acknowledged ${timeOf(alarm.acknowledged_ns, zone)}`);
  if (alarm.times > 1) times.push(`${alarm.times} times`);
  return html`<li class="alarm ${alarm.state} p${alarm.priority}">
    <span class="mark" aria-hidden="true">${mark}</span>
    <div class="what"><p class="line"><b>${alarm.goes_to ? html`<button type="button" class="link" onClick=${() => onGo(alarm.goes_to)}>${alarm.place}</button>` : alarm.place}</b> <span class="badge">${title}${alarm.is_active && alarm.state === "silenced" ? ", active" : ""}</span> <span class="badge priority">${PRIORITIES[alarm.priority]}</span></p>
      <p class="line">${alarm.text}</p><p class="small">${times.join(" \u00b7 ")}</p></div>
    <div class="do">${["active", "returned"].includes(alarm.state) && html`<button type="button" aria-label=${`Acknowledge ${alarm.kind} ${alarm.place}`} onClick=${act({ id: alarm.id }, "acknowledge")}>Ack</button>`}
    ${alarm.state === "silenced" ? html`<button type="button" aria-label=${`No longer silence ${alarm.kind} ${alarm.place}`} onClick=${act({ id: alarm.id }, "silence", 0)}>Unsilence</button>` : alarm.state !== "cleared" && html`<button type="button" aria-label=${`Silence ${alarm.kind} ${alarm.place} for ten minutes`} onClick=${act({ id: alarm.id }, "silence", 10)}>Silence</button>`}</div>
  </li>`;
}
