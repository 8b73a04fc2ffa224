// The stream of frames, decoded, and everything that the page knows: one object with those who want to be told.

export const room = {
  scene: null,
  header: null, // of the last frame
  state: null, // arrays of the last solved state
  series: null, // columns of the curves
  alarms: [],
  isOnline: false,
  heardAt: 0, // of the last frame, performance.now()
  frames: 0,
  states: 0,
};
window.heptagridRoom = room; // for those who look at it from outside: tests, a curious reader

const MOST = 6000; // points of a curve; when there are more, every second goes
const told = new Map(); // by what happened: "frame", "state", "alarms", "online", "series"

export function listen(what, callback) {
  if (!told.has(what)) told.set(what, new Set());
  told.get(what).add(callback);
  return () => told.get(what).delete(callback);
}

function tell(what) {
  for (const one of told.get(what) || []) one(room);
}

const ARRAYS = { Uint8: Uint8Array, Uint16: Uint16Array, Float32: Float32Array };
const text = new TextDecoder();

export function decode(buffer, layout) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(text.decode(new Uint8Array(buffer, 4, length)));
  if (!header.has_state) return { header, state: null };
  const state = { scale: {} };
  let at = 4 + length + ((4 - (length % 4)) % 4);
  for (const { name, type, count, scale } of layout) {
    const kind = ARRAYS[type];
    state[name] = new kind(buffer, at, count);
    state.scale[name] = scale;
    const bytes = count * kind.BYTES_PER_ELEMENT;
    at += bytes + ((4 - (bytes % 4)) % 4);
  }
  return { header, state };
}

let isScene;
const sceneCame = new Promise((resolve) => (isScene = resolve));

// The page is drawn: frames may be taken from now on.
export const open = () => isScene();

export async function ask(path, given) {
  const options = given === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) };
  const response = await fetch(path, options);
  const kind = response.headers.get("Content-Type") || "";
  const found = kind.includes("json") ? await response.json() : null;
  if (!response.ok) throw new Error((found && (found.error || found.detail || found.title)) || `${path}: status ${response.status}`);
  return found;
}

export async function begin() {
  connect(); // the first frame comes while the scene does
  const [scene, series] = await Promise.all([ask("/room/scene.json"), ask("/room/series.json")]);
  room.scene = scene;
  room.series = series;
  setInterval(watch, 500);
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/room/live`);
  socket.binaryType = "arraybuffer";
  // Each frame is answered once it has been drawn: a page that is slow is sent fewer, and never old ones.
  const answer = () => socket.readyState === WebSocket.OPEN && socket.send("drawn");
  socket.onmessage = async (event) => {
    await sceneCame;
    take(event.data);
    if (document.hidden) answer();
    else requestAnimationFrame(answer);
  };
  socket.onclose = () => {
    setOnline(false);
    setTimeout(connect, 1000);
  };
}

function take(buffer) {
  const { header, state } = decode(buffer, room.scene.frame);
  const before = room.header;
  room.header = header;
  room.heardAt = performance.now();
  room.frames++;
  setOnline(true);
  if (state) {
    room.state = state;
    room.states++;
    append(header);
    tell("state");
  }
  if (!before || before.alarms !== header.alarms) refreshAlarms();
  tell("frame");
}

function append(header) {
  const series = room.series;
  const time = header.at_ns / 1e9;
  const known = series.time_s;
  if (known.length && known[known.length - 1] >= time) return;
  known.push(time);
  for (const name of room.scene.series) series[name].push(header.figures[name]);
  if (known.length > MOST) for (const name of ["time_s", ...room.scene.series]) series[name] = series[name].filter((_, k) => k % 2 === 0);
  tell("series");
}

let asking = false;
export async function refreshAlarms() {
  if (asking) return;
  asking = true;
  try {
    const found = await ask("/room/alarms");
    room.alarms = found.alarms;
    tell("alarms");
    // What has changed meanwhile is asked for with the next frame that says so, twice a second at most.
    await new Promise((resolve) => setTimeout(resolve, 500));
    asking = false;
    if (room.header && found.version !== room.header.alarms) refreshAlarms();
  } catch {
    asking = false;
  }
}

export async function noteAlarm(given) {
  room.alarms = (await ask("/room/alarms", given)).alarms;
  tell("alarms");
}

function setOnline(is) {
  if (room.isOnline === is) return;
  room.isOnline = is;
  tell("online");
}

function watch() {
  if (performance.now() - room.heardAt > 2000) setOnline(false);
  if (!room.isOnline) tell("online"); // its age grows
}

// Whether what is shown is no longer what is: nothing heard, or no state solved when one was due.
export function quality() {
  const { header } = room;
  if (!header) return { word: "none", age_s: null, isStale: true };
  const age_s = header.age_s + (performance.now() - room.heardAt) / 1000;
  if (!room.isOnline) return { word: "offline", age_s, isStale: true };
  if (!header.running) return { word: "ended", age_s, isStale: true };
  const { clock } = header;
  if (clock.is_paused || clock.until_ns !== null) return { word: "paused", age_s, isStale: false };
  const due_s = clock.speed ? clock.step_s / clock.speed : 0;
  return age_s > 2 * due_s + 2 ? { word: "late", age_s, isStale: true } : { word: "good", age_s, isStale: false };
}
