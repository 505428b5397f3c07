"use strict";

// The page asks its server for snapshots (see Snapshot in the package) and shows each. Whatever comes
// from the server is put into the page as text, never as HTML.

const byId = (id) => document.getElementById(id);
const query = { stages: 0, connections: 0, find: "", values: 0, contents: false };
const pageSize = { stages: 100, connections: 50 };
let latest = null; // the last snapshot
let reconnect = new AbortController(); // aborts the present request for snapshots

// The token comes in the fragment of the address. It is kept for reloads of this tab, and taken out
// of the address, so that it is in no history.
const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.has("token")) {
  sessionStorage.setItem("token", fragment.get("token"));
  history.replaceState(null, "", location.pathname + location.search);
}

function headers(more = {}) {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: "Bearer " + token, ...more } : more;
}

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// write changes the text of an element only if it differs, so that a selection stays.
function write(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// ---- numbers

function count(n) {
  if (n < 100000) return n.toLocaleString("en");
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (n >= size) return (n / size).toPrecision(3) + " " + unit;
  }
}

function rate(n) {
  if (n === 0) return "0";
  return n < 10 ? n.toFixed(1) : count(Math.round(n));
}

function time(s) {
  if (s === 0) return "–";
  if (s < 1e-6) return "<1 µs";
  if (s < 1e-3) return (s * 1e6).toPrecision(2) * 1 + " µs";
  if (s < 1) return (s * 1e3).toPrecision(2) * 1 + " ms";
  return long(s);
}

function long(s) {
  if (s < 10) return s.toFixed(1) + " s";
  if (s < 120) return Math.round(s) + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  return Math.round(s / 3600) + " h";
}

// ---- lists that keep their elements

// show makes the children of a list those of the items: an element of each key is made once, stays
// while the item does, and is updated.
function show(list, items, key, make, update) {
  const old = list.elements ?? new Map();
  const now = new Map();
  let place = list.firstElementChild;
  for (const item of items) {
    const k = key(item);
    const e = old.get(k) ?? make(item);
    now.set(k, e);
    update(e, item);
    if (e === place) place = place.nextElementSibling;
    else list.insertBefore(e, place);
  }
  for (const [k, e] of old) if (!now.has(k)) e.remove();
  list.elements = now;
}

// ---- pipelines

function makeStage(s) {
  const row = element("div", "stage");
  row.setAttribute("role", "listitem");
  row.dataset.kind = s.kind;
  row.rail = row.appendChild(element("span", "rail"));
  row.rail.setAttribute("aria-hidden", "true");
  const name = row.appendChild(element("span", "name"));
  if (s.kind === "stage") {
    row.label = name.appendChild(element("button"));
    row.label.type = "button";
    row.label.title = "Show values";
    row.label.addEventListener("click", () => watchValues(s));
  } else {
    row.label = name.appendChild(element("span"));
  }
  row.errors = name.appendChild(element("span", "errors"));
  if (s.kind === "stage") {
    row.rate = row.appendChild(element("span", "num rate"));
    const sparks = row.appendChild(element("span", "sparks"));
    row.spark = spark();
    sparks.append(row.spark);
    row.total = row.appendChild(element("span", "num total"));
    row.p50 = row.appendChild(element("span", "num p50"));
    row.p99 = row.appendChild(element("span", "num p99"));
    row.busy = row.appendChild(element("span", "busy")).appendChild(element("div", "meter"));
    row.busy.append(element("i"));
  } else {
    const fill = row.appendChild(element("span", "fill"));
    row.fill = fill.appendChild(element("div", "meter"));
    row.fill.append(element("i"));
    row.said = fill.appendChild(element("span", "said"));
  }
  row.state = row.appendChild(element("span", "state"));
  return row;
}

function updateStage(row, s, held) {
  row.dataset.state = s.state;
  row.dataset.holds = held.get(s.id) ?? "";
  drawRail(row.rail, s.rail);
  write(row.label, s.name);
  const errors = [];
  if (s.failed) errors.push(count(s.failed) + " failed");
  if (s.dropped) errors.push(count(s.dropped) + " dropped");
  if (s.skipped) errors.push(count(s.skipped) + " skipped");
  write(row.errors, errors.join(", "));
  const runs = s.running > 1 ? " · " + count(s.running) + " runs" : "";
  const lasts = s.seconds > 0 ? " " + long(s.seconds) : "";
  write(row.state, s.state + lasts + runs);
  if (s.kind === "stage") {
    write(row.rate, rate(s.rate));
    write(row.total, count(s.values));
    write(row.p50, time(s.p50));
    write(row.p99, time(s.p99));
    row.busy.firstChild.style.width = 100 * s.busy + "%";
    row.busy.title = "What follows is at work " + Math.round(100 * s.busy) + "% of the time";
    drawSpark(row.spark, s.spark ?? []);
  } else {
    const share = s.capacity ? s.waiting / s.capacity : 0;
    row.fill.firstChild.style.width = 100 * Math.min(1, share) + "%";
    row.fill.classList.toggle("full", s.state === "full");
    write(row.said, s.running ? count(s.waiting) + " of " + count(s.capacity) + (s.blocked ? ", " + count(s.blocked) + " blocked" : "") : "");
  }
}

function drawRail(rail, r) {
  const said = JSON.stringify(r);
  if (rail.said === said) return;
  rail.said = said;
  rail.replaceChildren();
  const line = (className, lane, to) => {
    const i = rail.appendChild(element("i", className));
    i.style.setProperty("--lane", lane);
    if (to !== undefined) i.style.setProperty("--to", to);
  };
  for (const lane of r.through ?? []) line("v", lane);
  for (const lane of r.joins ?? []) line("join", lane, r.lane);
  if (r.top) line("v top", r.lane);
  if (r.bottom) line("v bottom", r.lane);
  line("node", r.lane);
}

const svg = "http://www.w3.org/2000/svg";

function spark() {
  const s = document.createElementNS(svg, "svg");
  s.setAttribute("class", "spark");
  s.setAttribute("viewBox", "0 0 120 26");
  s.setAttribute("preserveAspectRatio", "none");
  s.setAttribute("aria-hidden", "true");
  s.appendChild(document.createElementNS(svg, "path")).setAttribute("class", "base");
  s.firstChild.setAttribute("d", "M0,25.5L120,25.5");
  for (const name of ["area", "edge"]) s.appendChild(document.createElementNS(svg, "path")).setAttribute("class", name);
  return s;
}

function drawSpark(s, rates) {
  const most = Math.max(...rates, 1e-9);
  const points = rates.map((r, n) => (120 - rates.length + 1 + n).toFixed(1) + "," + (24 - 22 * r / most).toFixed(1));
  const edge = points.length ? "M" + points.join("L") : "";
  s.lastChild.setAttribute("d", edge);
  s.children[1].setAttribute("d", edge ? edge + "L120,26L" + (120 - rates.length + 1) + ",26Z" : "");
}

const headline = { calm: "Fine.", slow: "Slow.", stuck: "Stuck." };

function showVerdicts(s) {
  show(byId("verdicts"), s.verdicts ?? [], (v) => v.stage, () => {
    const e = element("p", "verdict");
    e.append(element("b"), element("span"));
    return e;
  }, (e, v) => {
    e.dataset.severity = v.severity;
    write(e.firstChild, headline[v.severity]);
    write(e.lastChild, v.why);
  });
}

function showStages(s) {
  const held = new Map();
  for (const v of s.verdicts ?? []) if (v.severity !== "calm") held.set(v.stage, v.severity);
  const stages = s.stages ?? [];
  const lanes = Math.max(0, ...stages.map((stage) => Math.max(stage.rail.lane, ...(stage.rail.joins ?? []), ...(stage.rail.through ?? []))));
  document.documentElement.style.setProperty("--lanes", lanes + 1);
  show(byId("stages"), stages, (stage) => stage.id, makeStage, (row, stage) => updateStage(row, stage, held));
  write(byId("stages-count"), s.stagesFound === s.stagesTotal ? count(s.stagesTotal) : s.stagesFound + " of " + count(s.stagesTotal));
  byId("no-stages").hidden = s.stagesTotal > 0;
  pager("stages", s.stagesFrom, stages.length, s.stagesFound);
}

// ---- values of a stage

const span = 10000; // milliseconds that the marble diagram shows
const mostMarbles = 1500; // more than come in that time; a tab in the background moves none out
let marbles = [];
let clock = 0; // the time of the server less that of this browser

function watchValues(stage) {
  query.values = stage.id;
  write(byId("values-name"), stage.name);
  write(byId("values-last"), "");
  byId("values").hidden = false;
  for (const m of marbles) m.element.remove();
  marbles = [];
  refresh();
  byId("values-close").focus();
}

function showValues(s) {
  byId("contents-label").hidden = !s.contents;
  clock = Date.parse(s.time) - Date.now();
  for (const v of s.values ?? []) {
    const e = element("div", "marble");
    e.append(element("i"), element("span", "", v.text ?? ""));
    if (v.text) e.title = v.text;
    byId("marbles").append(e);
    marbles.push({ at: Date.parse(v.at), element: e });
    if (v.text) write(byId("values-last"), v.text);
  }
  for (const m of marbles.splice(0, Math.max(0, marbles.length - mostMarbles))) m.element.remove();
}

function moveMarbles() {
  if (!byId("values").hidden) {
    const width = byId("marbles").clientWidth;
    const now = Date.now() + clock;
    marbles = marbles.filter((m) => {
      const age = (now - m.at) / span;
      if (age > 1.1) m.element.remove();
      else m.element.style.transform = "translateX(" + (width * (1 - age)).toFixed(1) + "px)";
      return age <= 1.1;
    });
  }
  requestAnimationFrame(moveMarbles);
}

// ---- connections

function makeConnection(c) {
  const row = element("div", "connection");
  row.setAttribute("role", "listitem");
  const who = row.appendChild(element("span", "who"));
  row.name_ = who.appendChild(element("span"));
  row.side = who.appendChild(element("span", "tag"));
  row.peer = row.appendChild(element("span", "peer"));
  row.numbers = ["messages", "flight", "unread", "held", "silent"].map((name) => row.appendChild(element("span", "num " + name)));
  row.button = row.appendChild(element("button", "", "Close"));
  row.button.type = "button";
  row.button.addEventListener("click", () => closeConnection(c.id, row.button));
  return row;
}

function updateConnection(row, c) {
  write(row.name_, c.name);
  write(row.side, c.side);
  write(row.peer, c.peer || "unknown");
  row.button.setAttribute("aria-label", "Close connection " + c.id + " of " + c.name);
  [c.messages, c.inFlight, c.unread, c.held].forEach((n, at) => {
    write(row.numbers[at], count(n));
    row.numbers[at].classList.toggle("zero", n === 0);
  });
  write(row.numbers[4], long(c.silent));
}

async function closeConnection(id, button) {
  button.disabled = true;
  try {
    const answer = await fetch("close", { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify({ id }) });
    if (!answer.ok && answer.status !== 404) throw new Error(await answer.text());
  } catch (error) {
    button.disabled = false;
    link("lost", String(error.message ?? error).slice(0, 120));
  }
}

function showConnections(s) {
  const connections = s.connections ?? [];
  show(byId("connections"), connections, (c) => c.id, makeConnection, updateConnection);
  const t = s.totals;
  const facts = [count(t.connections)];
  if (t.held) facts.push(count(t.held) + " held");
  if (t.inFlight) facts.push(count(t.inFlight) + " in flight");
  if (t.unread) facts.push(count(t.unread) + " unread");
  write(byId("connections-count"), facts.join(" · "));
  byId("no-connections").hidden = t.connections > 0;
  pager("connections", s.connectionsFrom, connections.length, s.connectionsFound);
}

// ---- subjects, hubs and pools

function showMembers(s) {
  const members = s.members ?? [];
  byId("members-section").hidden = members.length === 0;
  show(byId("members"), members.map((m, at) => ({ ...m, at })), (m) => m.at + m.kind + m.name, () => {
    const card = element("div", "card member");
    const title = card.appendChild(element("h3"));
    title.append(element("span"), element("span", "tag"));
    card.append(element("dl"));
    return card;
  }, (card, m) => {
    write(card.firstChild.firstChild, m.name);
    write(card.firstChild.lastChild, m.kind);
    show(card.lastChild, (m.fields ?? []).flatMap((f) => [{ tag: "dt", of: f.name, text: f.name }, { tag: "dd", of: f.name, text: count(f.value) }]),
      (f) => f.tag + f.of, (f) => element(f.tag), (e, f) => write(e, f.text));
  });
}

// ---- pages and search

function pager(name, from, shown, found) {
  byId(name + "-pager").hidden = found <= pageSize[name] && from === 0;
  write(byId(name + "-page"), shown ? from + 1 + "–" + (from + shown) + " of " + count(found) : "none");
  byId(name + "-back").disabled = from === 0;
  byId(name + "-on").disabled = from + shown >= found;
}

for (const name of ["stages", "connections"]) {
  byId(name + "-back").addEventListener("click", () => { query[name] = Math.max(0, query[name] - pageSize[name]); refresh(); });
  byId(name + "-on").addEventListener("click", () => { query[name] += pageSize[name]; refresh(); });
}

let typing = 0;
byId("find").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    Object.assign(query, { find: event.target.value, stages: 0, connections: 0 });
    refresh();
  }, 200);
});
byId("contents").addEventListener("change", (event) => { query.contents = event.target.checked; refresh(); });
byId("values-close").addEventListener("click", closeValues);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeValues();
  if (event.key === "/" && document.activeElement !== byId("find")) {
    event.preventDefault();
    byId("find").focus();
  }
});

function closeValues() {
  if (byId("values").hidden) return;
  const row = byId("stages").elements?.get(query.values);
  query.values = 0;
  byId("values").hidden = true;
  refresh();
  row?.label.focus();
}

// ---- the server

function link(state, text) {
  byId("link").dataset.state = state;
  write(byId("link-text"), text);
}

function showSnapshot(s) {
  latest = s;
  write(byId("program"), s.program);
  document.title = s.program + " · rxipc inspect";
  write(byId("process"), "process " + s.pid + " · " + count(s.goroutines) + " goroutines · " + (s.heap / 2 ** 20).toFixed(1) + " MiB heap");
  showVerdicts(s);
  showStages(s);
  showValues(s);
  showConnections(s);
  showMembers(s);
}

function refresh() { reconnect.abort(); }

const sleep = (ms, signal) => new Promise((done) => {
  setTimeout(done, ms);
  signal.addEventListener("abort", done);
});

// watch asks for snapshots as long as the page is open, again when the server was lost.
async function watch() {
  for (;;) {
    reconnect = new AbortController();
    const signal = reconnect.signal;
    try {
      await read(signal);
      throw new Error("the server has ended the stream");
    } catch (error) {
      if (signal.aborted) continue;
      link("lost", error.denied ? error.message : "lost, trying again");
      await sleep(1000, signal);
    }
  }
}

async function read(signal) {
  const answer = await fetch("events?" + new URLSearchParams(query), { headers: headers(), signal });
  if (!answer.ok) {
    const error = new Error((await answer.text()).trim().slice(0, 120));
    error.denied = true;
    throw error;
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop();
    const last = events.at(-1); // a browser that is slow shows the latest only
    if (last === undefined) continue;
    if (last.startsWith("event: failed")) throw new Error("failed");
    showSnapshot(JSON.parse(last.slice("data: ".length)));
    link("live", "live");
  }
}

moveMarbles();
watch();
