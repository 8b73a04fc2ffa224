// The network from above, drawn with WebGL2: lines as wide as they are loaded, nodes with a shape for each class.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { listen, room } from "./feed.js";
import { MODES, classesOfNodes } from "./words.js";

const SPOT = `#version 300 es
in vec2 at; in float kind; uniform vec3 view; uniform vec2 size; uniform float dot; uniform vec4 colours[9]; uniform float shapes[9];
out vec4 colour; out float shape;
void main() {
  int k = int(kind); vec2 p = (at - view.xy) * view.z;
  gl_Position = vec4(p.x / size.x * 2.0, p.y / size.y * 2.0, 0.0, 1.0);
  colour = colours[k]; shape = shapes[k];
  gl_PointSize = shape == 0.0 || shape == 5.0 ? dot : dot * 1.7 + 3.0;
}`;
const SPOT_PAINT = `#version 300 es
precision mediump float; in vec4 colour; in float shape; out vec4 paint;
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0; int s = int(shape + 0.5); bool inside = dot(p, p) < 1.0;
  if (s == 1) inside = p.y < 0.9 && p.y > -0.9 + 1.8 * abs(p.x);
  if (s == 2) inside = p.y > -0.9 && p.y < 0.9 - 1.8 * abs(p.x);
  if (s == 3) inside = abs(abs(p.x) - abs(p.y)) < 0.3;
  if (s == 4) inside = abs(p.x) + abs(p.y) < 0.95;
  if (!inside) discard;
  paint = colour;
}`;
const LINE = `#version 300 es
in vec2 corner; in vec2 from; in vec2 to; in float kind; in float wide; uniform vec3 view; uniform vec2 size; uniform float unit; uniform vec4 colours[9];
out vec4 colour; out float along; out float isDashed;
void main() {
  vec2 a = (from - view.xy) * view.z, b = (to - view.xy) * view.z, d = b - a; float l = max(length(d), 0.001);
  vec2 n = vec2(-d.y, d.x) / l; vec2 p = mix(a, b, corner.x) + n * corner.y * wide * unit * 0.5;
  gl_Position = vec4(p / size * 2.0, 0.0, 1.0); int k = int(kind);
  colour = colours[k]; along = corner.x * l / unit; isDashed = k == 0 ? 1.0 : 0.0;
}`;
const LINE_PAINT = `#version 300 es
precision mediump float; in vec4 colour; in float along; in float isDashed; out vec4 paint;
void main() { if (isDashed > 0.5 && mod(along, 8.0) > 4.0) discard; paint = colour; }`;

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  return made;
}

function colourOf(name) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.canvas.width = probe.canvas.height = 1;
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].map((one) => one / 255);
}

class Drawing {
  constructor(canvas, scene) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("this browser has no WebGL2");
    this.canvas = canvas;
    this.gl = gl;
    this.count = scene.nodes.x_m.length;
    this.places = new Float32Array(2 * this.count);
    scene.nodes.x_m.forEach((x, k) => this.places.set([x, scene.nodes.y_m[k]], 2 * k));
    const pairs = [];
    scene.nodes.parent.forEach((parent, k) => parent >= 0 && pairs.push(k));
    this.pairs = Uint32Array.from(pairs);
    this.kinds = new Uint8Array(this.count);
    const ends = new Float32Array(4 * pairs.length);
    pairs.forEach((k, n) => ends.set([...this.places.subarray(2 * scene.nodes.parent[k], 2 * scene.nodes.parent[k] + 2), ...this.places.subarray(2 * k, 2 * k + 2)], 4 * n));
    this.lineKinds = new Uint8Array(pairs.length);
    this.lineWidths = new Uint8Array(pairs.length);
    this.isLow = Uint8Array.from(pairs, (k) => (scene.nodes.kv[k] < 1 ? 1 : 0));
    this.spots = program(gl, SPOT, SPOT_PAINT);
    this.lines = program(gl, LINE, LINE_PAINT);
    const buffer = (data, use) => {
      const made = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, made);
      gl.bufferData(gl.ARRAY_BUFFER, data, use);
      return made;
    };
    const attribute = (of, name, size, type, stride, offset, divisor) => {
      const at = gl.getAttribLocation(of, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, type, false, stride, offset);
      gl.vertexAttribDivisor(at, divisor);
    };
    this.spotShape = gl.createVertexArray();
    gl.bindVertexArray(this.spotShape);
    buffer(this.places, gl.STATIC_DRAW);
    attribute(this.spots, "at", 2, gl.FLOAT, 0, 0, 0);
    this.kindBuffer = buffer(this.kinds, gl.DYNAMIC_DRAW);
    attribute(this.spots, "kind", 1, gl.UNSIGNED_BYTE, 0, 0, 0);
    this.lineShape = gl.createVertexArray();
    gl.bindVertexArray(this.lineShape);
    buffer(new Float32Array([0, -1, 1, -1, 0, 1, 1, 1]), gl.STATIC_DRAW);
    attribute(this.lines, "corner", 2, gl.FLOAT, 0, 0, 0);
    buffer(ends, gl.STATIC_DRAW);
    attribute(this.lines, "from", 2, gl.FLOAT, 16, 0, 1);
    attribute(this.lines, "to", 2, gl.FLOAT, 16, 8, 1);
    this.lineKindBuffer = buffer(this.lineKinds, gl.DYNAMIC_DRAW);
    attribute(this.lines, "kind", 1, gl.UNSIGNED_BYTE, 0, 0, 1);
    this.lineWidthBuffer = buffer(this.lineWidths, gl.DYNAMIC_DRAW);
    attribute(this.lines, "wide", 1, gl.UNSIGNED_BYTE, 0, 0, 1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    this.fit();
  }

  fit() {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let k = 0; k < this.count; k++) {
      x0 = Math.min(x0, this.places[2 * k]);
      x1 = Math.max(x1, this.places[2 * k]);
      y0 = Math.min(y0, this.places[2 * k + 1]);
      y1 = Math.max(y1, this.places[2 * k + 1]);
    }
    const { clientWidth: w, clientHeight: h } = this.canvas;
    this.view = [(x0 + x1) / 2, (y0 + y1) / 2, 0.94 * Math.min(w / (x1 - x0 || 1), h / (y1 - y0 || 1))];
    this.least = this.view[2] / 2;
  }

  zoom(by, x = 0, y = 0) {
    const before = this.view[2];
    this.view[2] = Math.min(Math.max(before * by, this.least), 40);
    this.view[0] += x / before - x / this.view[2];
    this.view[1] += y / before - y / this.view[2];
  }

  colour(mode) {
    this.palette = new Float32Array(36);
    this.shapes = new Float32Array(9);
    MODES[mode].classes.forEach((one, k) => {
      this.palette.set(colourOf(`--${one.style}`), 4 * k);
      this.shapes[k] = one.shape;
    });
    this.plain = colourOf("--wire");
    this.mode = mode;
  }

  take(state) {
    classesOfNodes(this.mode, state, this.kinds);
    const by = state.scale.branch_pct;
    for (let n = 0; n < this.pairs.length; n++) {
      const k = this.pairs[n];
      const pct = state.branch_pct[k] * by;
      this.lineKinds[n] = this.mode === "delivery" ? 8 : this.kinds[k];
      this.lineWidths[n] = (pct >= 100 ? 9 : pct >= 80 ? 6 : pct >= 50 ? 4 : 2) + (this.isLow[n] ? 0 : 2);
    }
    const { gl } = this;
    for (const [buffer, data] of [[this.kindBuffer, this.kinds], [this.lineKindBuffer, this.lineKinds], [this.lineWidthBuffer, this.lineWidths]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data);
    }
  }

  draw() {
    const { gl, canvas } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    gl.viewport(0, 0, w, h);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.palette.set(this.plain, 32);
    const zoomed = Math.min(Math.max(this.view[2] / this.least / 2, 1), 12);
    for (const [of, shape] of [[this.lines, this.lineShape], [this.spots, this.spotShape]]) {
      gl.useProgram(of);
      gl.bindVertexArray(shape);
      gl.uniform3f(gl.getUniformLocation(of, "view"), this.view[0], this.view[1], this.view[2] * ratio);
      gl.uniform2f(gl.getUniformLocation(of, "size"), w, h);
      gl.uniform4fv(gl.getUniformLocation(of, "colours"), this.palette);
      if (of === this.lines) {
        gl.uniform1f(gl.getUniformLocation(of, "unit"), ratio * Math.min(0.45 + 0.15 * zoomed, 1));
        gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.pairs.length);
      } else {
        gl.uniform1f(gl.getUniformLocation(of, "dot"), ratio * (0.9 + 1.1 * zoomed));
        gl.uniform1fv(gl.getUniformLocation(of, "shapes"), this.shapes);
        gl.drawArrays(gl.POINTS, 0, this.count);
      }
    }
  }

  // The node nearest to a point of the canvas, measured from its middle, y upwards; -1 if none is near.
  near(x, y) {
    const [vx, vy, zoom] = this.view;
    let best = -1;
    let least = 18 ** 2;
    for (let k = 0; k < this.count; k++) {
      const d = ((this.places[2 * k] - vx) * zoom - x) ** 2 + ((this.places[2 * k + 1] - vy) * zoom - y) ** 2;
      if (d < least) [best, least] = [k, d];
    }
    return best;
  }

  centre(node) {
    this.view[0] = this.places[2 * node];
    this.view[1] = this.places[2 * node + 1];
  }

  onCanvas(node) {
    const [vx, vy, zoom] = this.view;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    return [(this.places[2 * node] - vx) * zoom + w / 2, h / 2 - (this.places[2 * node + 1] - vy) * zoom];
  }
}

export function TownMap({ mode, node, onNode }) {
  const canvas = useRef(null);
  const chosen = useRef(null);
  const drawing = useRef(null);
  const [problem, setProblem] = useState(null);
  const due = useRef(false);
  const paint = () => {
    if (due.current || !drawing.current) return;
    due.current = true;
    requestAnimationFrame(() => {
      due.current = false;
      if (!drawing.current || !canvas.current) return;
      drawing.current.draw();
      const ring = chosen.current;
      ring.hidden = node === null;
      if (node !== null) {
        const [x, y] = drawing.current.onCanvas(node);
        ring.style.transform = `translate(${x}px, ${y}px)`;
      }
    });
  };
  useEffect(() => {
    try {
      drawing.current = new Drawing(canvas.current, room.scene);
    } catch (error) {
      setProblem(error.message);
      return undefined;
    }
    const again = () => drawing.current.draw && paint();
    const seen = new ResizeObserver(again);
    seen.observe(canvas.current);
    return () => {
      seen.disconnect();
      drawing.current = null;
    };
  }, []);
  useEffect(() => {
    if (!drawing.current || node === null) return;
    const [x, y] = drawing.current.onCanvas(node);
    const { clientWidth: w, clientHeight: h } = canvas.current;
    if (x < 20 || y < 20 || x > w - 20 || y > h - 20) drawing.current.centre(node);
  }, [node]);
  useEffect(() => {
    if (!drawing.current) return undefined;
    const colour = () => {
      drawing.current.colour(mode);
      if (room.state) drawing.current.take(room.state);
      paint();
    };
    const take = () => {
      drawing.current.take(room.state);
      paint();
    };
    colour();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", colour);
    addEventListener("themechange", colour);
    const stop = listen("state", take);
    return () => {
      stop();
      dark.removeEventListener("change", colour);
      removeEventListener("themechange", colour);
    };
  }, [mode, node]);

  const middle = (event) => {
    const box = canvas.current.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, box.height / 2 - (event.clientY - box.top)];
  };
  const fingers = useRef(new Map());
  const down = (event) => {
    canvas.current.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, { at: middle(event), moved: 0 });
  };
  const move = (event) => {
    const one = fingers.current.get(event.pointerId);
    if (!one || !drawing.current) return;
    const now = middle(event);
    const [dx, dy] = [now[0] - one.at[0], now[1] - one.at[1]];
    const others = [...fingers.current.entries()].filter(([id]) => id !== event.pointerId);
    if (others.length) {
      const other = others[0][1].at;
      const before = Math.hypot(one.at[0] - other[0], one.at[1] - other[1]);
      const after = Math.hypot(now[0] - other[0], now[1] - other[1]);
      if (before > 0) drawing.current.zoom(after / before, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else {
      drawing.current.view[0] -= dx / drawing.current.view[2];
      drawing.current.view[1] -= dy / drawing.current.view[2];
    }
    one.moved += Math.hypot(dx, dy);
    one.at = now;
    paint();
  };
  const up = (event) => {
    const one = fingers.current.get(event.pointerId);
    fingers.current.delete(event.pointerId);
    if (one && one.moved < 5 && drawing.current) pick(...one.at);
  };
  const pick = (x, y) => {
    const found = drawing.current.near(x, y);
    if (found >= 0) onNode(found);
  };
  const key = (event) => {
    const moves = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    const one = drawing.current;
    if (!one) return;
    if (moves[event.key]) {
      one.view[0] += moves[event.key][0] / one.view[2];
      one.view[1] += moves[event.key][1] / one.view[2];
    } else if (event.key === "+" || event.key === "=") one.zoom(1.4);
    else if (event.key === "-") one.zoom(1 / 1.4);
    else if (event.key === "0") one.fit();
    else if (event.key === "Enter") pick(0, 0);
    else return;
    event.preventDefault();
    paint();
  };
  const wheel = (event) => {
    if (!drawing.current) return;
    event.preventDefault();
    drawing.current.zoom(Math.exp(-event.deltaY / 400), ...middle(event));
    paint();
  };
  useEffect(() => {
    const at = canvas.current;
    at.addEventListener("wheel", wheel, { passive: false });
    return () => at.removeEventListener("wheel", wheel);
  });
  const press = (what) => () => {
    if (!drawing.current) return;
    what(drawing.current);
    paint();
  };
  return html`<div class="map">
    ${problem && html`<p class="problem" role="alert">The map cannot be drawn: ${problem}. The one-line view shows the same values.</p>`}
    <canvas ref=${canvas} tabindex="0" role="application" aria-label="Map of the network. Arrow keys move it, plus and minus zoom, 0 shows all, Enter selects what is nearest to the middle." onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up} onKeyDown=${key}></canvas>
    <span ref=${chosen} class="chosen-ring" hidden></span>
    <div class="zoom" role="group" aria-label="Zoom"><button type="button" aria-label="Zoom in" onClick=${press((one) => one.zoom(1.6))}>+</button><button type="button" aria-label="Zoom out" onClick=${press((one) => one.zoom(1 / 1.6))}>\u2212</button><button type="button" aria-label="Show all" onClick=${press((one) => one.fit())}>\u2922</button></div>
  </div>`;
}
