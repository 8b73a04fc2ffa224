// The control room: clock above, the network and its curves, the seven domains, alarms and what is selected.

import { html, render, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { ask, begin, listen, open as openFeed, quality, room } from "./feed.js";
import { Alarms } from "./alarms.js";
import { Curves } from "./curves.js";
import { TownMap } from "./map.js";
import { OneLine, pointsOf } from "./oneline.js";
import { Connected, Faults, useChanges } from "./outside.js";
import { Picture } from "./picture.js";
import { Selection } from "./selection.js";
import { MODES, number, span } from "./words.js";

const SPEEDS = [["1", "\u00d71"], ["10", "\u00d710"], ["60", "\u00d760"], ["600", "\u00d7600"], ["max", "\u00d7max"]];
const STEPS = [["1", "1 s"], ["60", "1 min"], ["900", "15 min"], ["3600", "1 h"]];

function useFrames(perSecond) {
  const [, again] = useState(0);
  useEffect(() => {
    let at = 0;
    const told = () => {
      const now = performance.now();
      if (now - at < 1000 / perSecond) return;
      at = now;
      again((n) => n + 1);
    };
    const stops = [listen("frame", told), listen("online", () => again((n) => n + 1))];
    return () => stops.forEach((stop) => stop());
  }, []);
}

function Clock() {
  useFrames(10);
  const [step, setStep] = useState("60");
  const [problem, setProblem] = useState("");
  const { header } = room;
  if (!header) return null;
  const { clock } = header;
  const [day, time] = [clock.local.slice(0, 10), clock.local.slice(11, 19)];
  const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", timeZone: "UTC" }).format(new Date(day + "T12:00:00Z"));
  const stands = clock.is_paused || clock.until_ns !== null;
  const send = (given) => ask("/clock", given).then(() => setProblem(""), (error) => setProblem(error.message));
  const speed = clock.speed === null ? "max" : String(clock.speed);
  const speeds = SPEEDS.some(([value]) => value === speed) ? SPEEDS : [[speed, "\u00d7" + speed], ...SPEEDS];
  const good = quality();
  const lag = clock.lag_s > 0.05 ? `${number(clock.lag_s, 1)} s` : "none";
  return html`<div class="clock"><p class="now"><time datetime=${clock.local}><span class="date">${weekday} ${day}</span> <b>${time}</b></time></p>
    <div class="run" role="group" aria-label="Clock">
      <button type="button" class="main" onClick=${() => send(stands ? { go: true } : { pause: true })}>${stands ? "\u25b6 Go" : "\u275a\u275a Pause"}</button>
      <button type="button" onClick=${() => send({ advance_s: Number(step) })}>Step</button>
      <select aria-label="Length of a step" value=${step} onChange=${(event) => setStep(event.target.value)}>${STEPS.map(([value, title]) => html`<option value=${value}>${title}</option>`)}</select>
      <select aria-label="Speed" value=${speed} onChange=${(event) => send({ speed: event.target.value === "max" ? "max" : Number(event.target.value) })}>${speeds.map(([value, title]) => html`<option value=${value}>${title}</option>`)}</select>
    </div>
    <dl class="health"><div class=${good.isStale ? "bad" : good.word === "paused" ? "open" : "good"}><dt>Values</dt><dd>${good.word === "good" ? "good" : good.word}, ${span(good.age_s)} old</dd></div><div class=${clock.lag_s > 1 ? "bad" : ""}><dt>Lag</dt><dd>${lag}</dd></div></dl>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}</div>`;
}

function Link() {
  useFrames(2);
  const silence_s = (performance.now() - room.heardAt) / 1000;
  const isEnded = room.header && !room.header.running;
  const is = room.isOnline && !isEnded;
  return html`<p class="link-state ${is ? "online" : "offline"}" role="status"><span aria-hidden="true">${is ? "\u25cf" : "\u25cb"}</span> ${is ? "online" : isEnded ? "the grid has stopped" : room.heardAt ? `offline, ${span(silence_s)} without a word` : "offline"}</p>`;
}

function Theme() {
  const [theme, setTheme] = useState(() => localStorage.getItem("theme") || "auto");
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    dispatchEvent(new Event("themechange"));
  }, [theme]);
  return html`<label class="theme"><span class="hidden">Colours</span><select value=${theme} onChange=${(event) => setTheme(event.target.value)}><option value="auto">Auto</option><option value="light">Light</option><option value="dark">Dark</option></select></label>`;
}

function Legend({ mode }) {
  return html`<ul class="legend" aria-label=${`What ${MODES[mode].title.toLowerCase()} is coloured by`}>${MODES[mode].classes.map((one) => html`<li class=${one.style}><span class="swatch" aria-hidden="true">${one.mark}</span>${one.name}</li>`)}<li class="lines"><span class="thin" aria-hidden="true"></span>line below 50 %, <span class="thick" aria-hidden="true"></span>above 100 %</li><li class="age"><${Age} /></li></ul>`;
}

// How old the values beside it are, and whether they are good.
export function Age() {
  useFrames(2);
  const { word, age_s } = quality();
  return html`<span class="age-text">${word}, ${span(age_s)} old</span>`;
}

function Find({ onSelect }) {
  const [problem, setProblem] = useState("");
  const input = useRef(null);
  const find = (event) => {
    event.preventDefault();
    const wanted = input.current.value.trim().toLowerCase();
    const { scene } = room;
    const station = scene.substations.findIndex((one) => one.name.toLowerCase() === wanted || `substation ${one.name}`.toLowerCase() === wanted);
    const point = /^(customer |point )?(\d+)$/.exec(wanted);
    if (station >= 0) onSelect({ kind: "substation", id: station });
    else if (point && Number(point[2]) < scene.points.node.length) onSelect({ kind: "point", id: Number(point[2]) });
    else return setProblem(`There is no ${wanted || "place without a name"}: write a substation's name, or a customer's number below ${scene.points.customers}.`);
    return setProblem("");
  };
  return html`<form class="find" role="search" onSubmit=${find}><label><span class="hidden">Find a substation or a customer</span><input ref=${input} list="stations" placeholder="Substation, customer" /></label><datalist id="stations">${room.scene.substations.map((one) => html`<option value=${one.name}></option>`)}</datalist><button type="submit">Find</button>${problem && html`<p class="problem" role="alert">${problem}</p>`}</form>`;
}

function Network({ selected, onSelect, open, onOpen }) {
  const [view, setView] = useState("oneline");
  const [mode, setMode] = useState("voltage");
  const { scene } = room;
  const nodeOf = { point: (id) => scene.points.node[id], substation: (id) => scene.substations[id].node, town: (id) => scene.towns[id].busbar, node: (id) => id };
  const onNode = (node) => {
    const [point] = pointsOf(node);
    const station = scene.substations.findIndex((one) => one.node === node);
    if (station >= 0) onSelect({ kind: "substation", id: station });
    else if (point !== undefined) onSelect({ kind: "point", id: point });
    else onSelect({ kind: "node", id: node });
  };
  const station = open === null ? null : scene.substations[open];
  return html`<section class="card network" aria-labelledby="network-title">
    <div class="head"><h2 id="network-title">Network</h2>
      <div class="choice" role="group" aria-label="View">${[["oneline", "One-line"], ["map", "Map"]].map(([one, title]) => html`<button type="button" aria-pressed=${view === one} onClick=${() => setView(one)}>${title}</button>`)}</div>
      <div class="choice" role="group" aria-label="Coloured by">${Object.entries(MODES).map(([one, { title }]) => html`<button type="button" aria-pressed=${mode === one} onClick=${() => setMode(one)}>${title}</button>`)}</div>
      <${Find} onSelect=${onSelect} /></div>
    ${view === "oneline" && station && html`<p class="crumbs"><button type="button" onClick=${() => onOpen(null)}>\u2190 Medium voltage</button> Substation ${station.name}, low voltage</p>`}
    <div class="view">${view === "oneline" ? html`<${OneLine} mode=${mode} open=${open} selected=${selected} onSelect=${onSelect} key=${open === null ? "mv" : open} />` : html`<${TownMap} mode=${mode} node=${selected ? nodeOf[selected.kind](selected.id) : null} onNode=${onNode} />`}</div>
    <${Legend} mode=${mode} /></section>`;
}

function Tabs({ tab, setTab, tabs }) {
  const keys = (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const names = tabs.map((one) => one.name);
    const next = names[(names.indexOf(tab) + move + names.length) % names.length];
    setTab(next);
    document.getElementById(`tab-${next}`).focus();
  };
  return html`<div class="tabs" role="tablist" aria-label="Details" onKeyDown=${keys}>${tabs.map((one) => html`<button type="button" role="tab" id=${`tab-${one.name}`} aria-selected=${tab === one.name} aria-controls="details" tabindex=${tab === one.name ? 0 : -1} onClick=${() => setTab(one.name)}>${one.title}${one.badge}</button>`)}</div>`;
}

function useAlarmCounts() {
  const [counts, setCounts] = useState({});
  useEffect(() => listen("frame", () => {
    const found = room.header.alarm_counts;
    setCounts((before) => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
  }), []);
  return counts;
}

// Says new alarms to those who listen to the page.
function Announcer() {
  const [text, setText] = useState("");
  useEffect(() => {
    const known = new Map(room.alarms.map((one) => [one.id, one.times]));
    return listen("alarms", () => {
      const fresh = room.alarms.filter((one) => one.state === "active" && known.get(one.id) !== one.times);
      room.alarms.forEach((one) => known.set(one.id, one.times));
      if (fresh.length) setText(fresh.length > 3 ? `${fresh.length} new alarms` : fresh.map((one) => `Alarm, ${one.place}: ${one.text}`).join(". "));
    });
  }, []);
  return html`<p class="hidden" role="log" aria-live="polite">${text}</p>`;
}

function App() {
  const [selected, setSelected] = useState(null);
  const [open, setOpen] = useState(null);
  const [tab, setTab] = useState("alarms");
  const changes = useChanges();
  const counts = useAlarmCounts();
  const [isStale, setStale] = useState(false);
  useEffect(() => {
    const told = () => setStale(quality().isStale);
    const stops = [listen("frame", told), listen("online", told)];
    return () => stops.forEach((stop) => stop());
  }, []);
  const select = (what) => {
    setSelected(what);
    setTab("selection");
    if (what.kind === "substation" && open !== null && open !== what.id) setOpen(what.id);
  };
  const go = (place) => {
    const [kind, id] = place.split("/");
    select({ kind, id: Number(id) });
  };
  const wants = (counts.active || 0) + (counts.returned || 0);
  const tabs = [
    { name: "alarms", title: "Alarms", badge: html` <b class="count ${wants ? "wants" : ""}">${wants || Object.values(counts).reduce((a, b) => a + b, 0)}</b>` },
    { name: "selection", title: "Selected" },
    { name: "connected", title: "Connected", badge: html` <b class="count">${room.header ? room.header.peers : 0}</b>` },
    ...(changes && changes.length ? [{ name: "faults", title: "Faults" }] : []),
  ];
  return html`<a class="skip" href="#details">To alarms and details</a>
    <header><h1><img src="/room/icon.svg" alt="" width="26" height="26" /> <span>Control room <small>${room.scene.name}</small></span></h1><${Clock} /><div class="corner"><${Link} /><${Theme} /></div></header>
    <main class=${isStale ? "stale" : ""}>
      <${Network} selected=${selected} onSelect=${select} open=${open} onOpen=${setOpen} />
      <${Curves} />
      <div class="right"><${Picture} />
      <section class="card side" aria-label="Alarms and details"><${Tabs} tab=${tab} setTab=${setTab} tabs=${tabs} />
        <div class="panel" id="details" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
          ${tab === "alarms" && html`<${Alarms} onGo=${go} />`}
          ${tab === "selection" && html`<${Selection} selected=${selected} onSelect=${select} onOpen=${setOpen} changes=${changes} isOpen=${selected && selected.kind === "substation" && open === selected.id} />`}
          ${tab === "connected" && html`<${Connected} />`}
          ${tab === "faults" && html`<${Faults} changes=${changes} selected=${selected} />`}
        </div></section></div>
    </main><${Announcer} />`;
}

const theme = localStorage.getItem("theme");
if (theme && theme !== "auto") document.documentElement.dataset.theme = theme;
begin().then(
  () => {
    const place = document.getElementById("room");
    place.replaceChildren();
    render(html`<${App} />`, place);
    document.documentElement.dataset.ready = "yes";
    const stop = listen("state", () => {
      stop();
      requestAnimationFrame(() => performance.mark("drawn")); // when the first values could be seen
    });
    openFeed();
  },
  (error) => {
    document.getElementById("room").textContent = `The control room could not be loaded: ${error.message}. Load the page again once the grid runs.`;
  },
);
