// Numbers, times and classes of values as people read them.

const MINUS = "\u2212";
const THIN = "\u202f";

export function number(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "\u2013";
  const text = Math.abs(value).toFixed(digits);
  const [whole, part] = text.split(".");
  const sign = value < 0 && Number(text) !== 0 ? MINUS : "";
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (part ? "." + part : "");
}

export function power(kw) {
  const size = Math.abs(kw);
  if (size >= 999500) return [number(kw / 1e6, 2), "GW"];
  if (size >= 99950) return [number(kw / 1e3, 0), "MW"];
  if (size >= 999.5) return [number(kw / 1e3, 2), "MW"];
  return [number(kw, size >= 100 ? 0 : size >= 10 ? 1 : 2), "kW"];
}

export function rate(perSecond) {
  const size = Math.abs(perSecond);
  if (size >= 1000) return number(perSecond / 1000, 1) + "k";
  return number(perSecond, size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3);
}

export function euros(eur) {
  const size = Math.abs(eur);
  return number(eur, size >= 1000 ? 0 : 2);
}

export function span(seconds) {
  if (seconds === null || seconds === undefined) return "never";
  if (seconds < 0.95) return number(seconds, 1) + THIN + "s";
  if (seconds < 90) return number(seconds) + THIN + "s";
  if (seconds < 5400) return number(seconds / 60) + THIN + "min";
  return number(seconds / 3600, 1) + THIN + "h";
}

export function delay(seconds) {
  return seconds < 1 ? number(1000 * seconds) + THIN + "ms" : span(seconds);
}

export const clockText = (iso) => iso.slice(11, 19);

const formats = new Map();
export function timeOf(ns, zone, seconds = true) {
  const key = zone + seconds;
  if (!formats.has(key)) {
    const wanted = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
    if (seconds) wanted.second = "2-digit";
    formats.set(key, new Intl.DateTimeFormat("en-GB", wanted));
  }
  return formats.get(key).format(new Date(ns / 1e6));
}

// What a value is coloured by: limits between classes, names, and the mark that tells a class without colour.
export const MODES = {
  voltage: {
    title: "Voltage",
    classes: [
      { name: "no supply", style: "off", mark: "\u00d7", shape: 3 },
      { name: "below " + MINUS + "10 %", style: "v0", mark: "\u25bc", shape: 2, below: 0.9 },
      { name: MINUS + "10 to " + MINUS + "6", style: "v1", mark: "\u25bd", shape: 2, below: 0.94 },
      { name: MINUS + "6 to " + MINUS + "3", style: "v2", mark: "\u25cb", shape: 0, below: 0.97 },
      { name: MINUS + "3 to +3 %", style: "v3", mark: "\u25cf", shape: 0, below: 1.03 },
      { name: "+3 to +6", style: "v4", mark: "\u25cb", shape: 0, below: 1.06 },
      { name: "+6 to +10", style: "v5", mark: "\u25b3", shape: 1, below: 1.1 },
      { name: "above +10 %", style: "v6", mark: "\u25b2", shape: 1, below: Infinity },
    ],
  },
  loading: {
    title: "Loading",
    classes: [
      { name: "no supply", style: "off", mark: "\u00d7", shape: 3 },
      { name: "below 50 %", style: "l0", mark: "\u25cf", shape: 0, below: 50 },
      { name: "50 to 80", style: "l1", mark: "\u25d0", shape: 0, below: 80 },
      { name: "80 to 100", style: "l2", mark: "\u25c6", shape: 4, below: 100 },
      { name: "above 100 %", style: "l3", mark: "\u25b2", shape: 1, below: Infinity },
    ],
  },
  delivery: {
    title: "Delivery",
    classes: [
      { name: "never heard", style: "d3", mark: "\u00b7", shape: 5 },
      { name: "heard in 20 min", style: "d0", mark: "\u25cf", shape: 0, below: 20 },
      { name: "20 to 60 min ago", style: "d1", mark: "\u25d0", shape: 4, below: 60 },
      { name: "silent for an hour", style: "d2", mark: "\u00d7", shape: 3, below: Infinity },
    ],
  },
};

export function classOf(mode, value, isOff = false) {
  const { classes } = MODES[mode];
  if (isOff) return 0;
  for (let k = 1; k < classes.length; k++) if (value < classes[k].below) return k;
  return classes.length - 1;
}

// The class of each node in a mode, from a frame's arrays.
export function classesOfNodes(mode, state, out) {
  const { node_v_pu: v, branch_pct: pct, silent_min: silent, scale } = state;
  if (mode === "delivery") {
    for (let k = 0; k < out.length; k++) out[k] = silent[k] === 255 ? 0 : silent[k] < 20 ? 1 : silent[k] < 60 ? 2 : 3;
    return out;
  }
  const of = mode === "voltage" ? v : pct;
  const by = mode === "voltage" ? scale.node_v_pu : scale.branch_pct;
  for (let k = 0; k < out.length; k++) out[k] = classOf(mode, of[k] * by, v[k] === 0);
  return out;
}
