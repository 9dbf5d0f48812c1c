import { bar, draw } from "./plots.js";

const MOST = 200;
const find = (id) => document.getElementById(id);
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  sessionStorage.setItem("naftiko-token", token);
  history.replaceState(null, "", location.pathname);
}
const known = sessionStorage.getItem("naftiko-token");
const headers = (more = {}) => known ? { Authorization: `Bearer ${known}`, ...more } : more;
const calls = [];
let overview = null;

/** An element with attributes and children; text is text, never markup. */
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

function say(text) {
  find("status").textContent = text;
}

async function ask(path, options = {}) {
  const answer = await fetch(`/console/api/${path}`, { ...options, headers: headers(options.headers) });
  if (answer.status === 401) throw new Error("the console asks for its token: open the address that was printed at the start");
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail ?? `the console answered ${answer.status}`);
  return found;
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// Calls

const tone = (status) => status >= 500 || status === 0 ? "bad" : status >= 400 ? "warn" : "good";

function waterfall(call) {
  const rows = call.spans.map((span) => make("tr", { class: `${span.what}${span.status >= 400 ? " failed" : ""}` },
    make("th", { scope: "row" }, `${span.what === "step" ? "step " : ""}${span.name}${span.status ? ` (${span.status})` : ""}`),
    make("td", {}, bar(span.start, span.ms, call.ms)),
    make("td", { class: "ms" }, `${span.ms.toFixed(1)} ms`)));
  return rows.length
    ? make("table", { class: "fall" }, make("caption", { class: "faint" }, "Steps and upstreams, in time"), make("tbody", {}, ...rows))
    : make("p", { class: "faint" }, "Nothing was sent to an upstream.");
}

function shown(call) {
  const name = call.operation ?? `${call.method ?? ""} ${call.path ?? ""}`;
  const detail = make("div", { class: "detail" },
    make("p", {}, `${call.kind ?? "no adapter"} ${call.adapter ?? ""}, request `, make("code", {}, call.id ?? "without a number"),
      call.error ? make("span", { class: "bad" }, ` ${call.error}`) : null),
    waterfall(call));
  for (const body of call.bodies ?? []) {
    detail.append(make("h3", {}, `${body.method} ${body.target}`),
      make("pre", { tabindex: "0", "aria-label": "Request body" }, body.body ?? "(no body)"),
      make("pre", { tabindex: "0", "aria-label": "Answer" }, body.answer ?? ""));
  }
  return make("li", { "data-text": `${name} ${call.status} ${call.adapter ?? ""} ${call.path ?? ""}`.toLowerCase() },
    make("details", {},
      make("summary", {},
        make("span", { class: `badge ${tone(call.status)}` }, String(call.status)),
        make("span", { class: "name" }, name),
        make("span", { class: "ms" }, `${call.ms.toFixed(1)} ms`),
        make("time", { datetime: new Date(call.at * 1000).toISOString() }, new Date(call.at * 1000).toLocaleTimeString())),
      detail));
}

function sift() {
  const text = find("filter").value.trim().toLowerCase();
  for (const item of find("calls").children) item.hidden = text !== "" && !item.dataset.text.includes(text);
}

function add(call) {
  calls.push(call);
  if (calls.length > 5000) calls.shift();
  if (find("pause").checked) return;
  const list = find("calls");
  list.prepend(shown(call));
  while (list.children.length > MOST) list.lastChild.remove();
  find("no-calls").hidden = true;
  sift();
  plotSoon();
}

let isPlotting = false;

/** The plots anew, at most a few times a second, however many calls there are. */
function plotSoon() {
  if (isPlotting) return;
  isPlotting = true;
  setTimeout(() => { isPlotting = false; draw(find("plots"), calls); }, 250);
}

/** Server-sent events by fetch, which can send a token where EventSource cannot. */
async function listen() {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10000)) {
    try {
      const answer = await fetch("/console/api/calls", { headers: headers() });
      if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      find("calls").replaceChildren();
      calls.length = 0;
      wait = 500;
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) if (line.startsWith("data: ")) add(JSON.parse(line.slice(6)));
      }
    } catch (error) {
      say(`The calls cannot be followed: ${error.message}`);
    }
    find("state").textContent = "not connected";
    find("state").className = "badge bad";
    await new Promise((done) => setTimeout(done, wait));
    refresh();
  }
}

// What is served

function inputsOf(unit) {
  if (!unit.inputs.length) return make("p", { class: "faint" }, "It takes no inputs.");
  const rows = unit.inputs.map((input) => make("tr", {},
    make("th", { scope: "row" }, input.name, input.required ? make("span", { class: "warn" }, " required") : null),
    make("td", {}, [input.schema.type].flat().filter(Boolean).join(" or ") || "anything"),
    make("td", {}, input.schema.description ?? ""),
    make("td", {}, input.goesTo.length ? `→ ${input.goesTo.join(", ")}` : "")));
  return make("table", { class: "inputs" },
    make("thead", {}, make("tr", {}, ...["Input", "Type", "What it is", "Where it goes"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows));
}

let numbers = 0;

function field(input) {
  const id = `input-${++numbers}`, type = [input.schema.type].flat()[0];
  const label = make("label", { for: id }, input.name, input.required ? " (required)" : "");
  let control;
  if (Array.isArray(input.schema.enum)) {
    control = make("select", { id }, make("option", { value: "" }, ""), ...input.schema.enum.map((value) => make("option", {}, String(value))));
  } else if (type === "boolean") {
    control = make("select", { id }, ...["", "true", "false"].map((value) => make("option", {}, value)));
  } else if (type === "object" || type === "array" || input.name === "body") {
    control = make("textarea", { id, spellcheck: "false", placeholder: type === "array" ? "[]" : "{}" });
  } else {
    control = make("input", { id, autocomplete: "off", inputmode: type === "integer" || type === "number" ? "decimal" : null });
  }
  if (input.schema.default !== undefined) control.value = typeof input.schema.default === "string" ? input.schema.default : JSON.stringify(input.schema.default);
  control.dataset.name = input.name;
  control.dataset.json = String(control.tagName === "TEXTAREA");
  return make("div", { class: "field" }, label, control, make("small", {}, input.schema.description ?? ""));
}

function given(form) {
  const values = {};
  for (const control of form.querySelectorAll("[data-name]")) {
    if (control.value === "") continue;
    values[control.dataset.name] = control.dataset.json === "true" ? JSON.parse(control.value) : control.value;
  }
  return values;
}

function result(found) {
  if (found.dry) {
    const parts = found.requests.map((request) => make("div", {},
      make("h4", {}, `${request.method} ${request.target}`),
      make("pre", { tabindex: "0", "aria-label": "Headers and body that would be sent" },
        `${Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`).join("\n")}${request.body ? `\n\n${request.body}` : ""}`)));
    return make("div", {}, make("p", {}, found.requests.length ? "This would be sent; nothing was:" : "Nothing would be sent."), ...parts);
  }
  if (found.error) return make("p", { class: "bad" }, `${found.status}: ${found.error}`);
  let text = found.body;
  try { text = JSON.stringify(JSON.parse(found.body), null, 2); } catch { /* it is no JSON */ }
  return make("div", {},
    make("p", { class: tone(found.status) }, `${found.status} in ${found.ms} ms, ${found.mediaType ?? "no body"}`),
    make("pre", { tabindex: "0", "aria-label": "Answer" }, text));
}

function tryForm(file, adapter, unit) {
  const place = make("div", { "aria-live": "polite" });
  const form = make("form", { "aria-label": `Try ${unit.label}` }, ...unit.inputs.map(field));
  const send = make("button", { type: "submit" }, unit.isSafe ? "Call" : "Show what would be sent");
  const real = make("button", { type: "button", hidden: true }, "Send it");
  const go = async (dry) => {
    send.disabled = real.disabled = true;
    try {
      const found = await post("try", { file, namespace: adapter.namespace, label: unit.label, inputs: given(form), dry });
      place.replaceChildren(result(found));
      real.hidden = !dry;
    } catch (error) {
      place.replaceChildren(make("p", { class: "bad" }, error.message));
    }
    send.disabled = real.disabled = false;
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); go(!unit.isSafe); });
  real.addEventListener("click", () => go(false));
  form.append(make("div", { class: "row" }, send, real), place);
  return form;
}

function unitOf(file, adapter, unit) {
  const state = unit.broken ? make("span", { class: "badge bad" }, "broken") : null;
  const made = make("details", { class: "unit" },
    make("summary", {}, make("span", { class: "name" }, unit.label), state, make("span", { class: "faint" }, unit.title ?? "")));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) {
      const canTry = (unit.kind === "tool" || unit.kind === "route") && !unit.broken;
      made.append(make("div", { class: "detail" },
        unit.broken ? make("p", { class: "bad" }, unit.broken) : null,
        make("p", {}, unit.description ?? ""),
        make("p", { class: "faint" }, unit.calls.length ? `Calls ${unit.calls.join(", ")}` : "Calls nothing"),
        inputsOf(unit),
        canTry ? make("h4", {}, "Try it") : null,
        canTry ? tryForm(file, adapter, unit) : null));
    }
  });
  return made;
}

function capabilityOf(item) {
  const made = make("article", {}, make("h3", {}, item.title, " ", make("span", { class: "faint" }, `${item.file}, version ${item.version}`)));
  if (item.heldBack) {
    made.append(make("p", { class: "warn" }, `A newer version is held back, and this one goes on serving: ${item.heldBack}`));
  }
  for (const adapter of item.adapters) {
    made.append(make("h4", {}, `${adapter.type} ${adapter.namespace} `, adapter.url ? make("code", {}, adapter.url) : make("span", { class: "badge bad" }, "not served"),
      adapter.authentication ? make("span", { class: "faint" }, ` callers need ${adapter.authentication}`) : null));
    if (adapter.broken) made.append(make("p", { class: "bad" }, adapter.broken));
    made.append(...adapter.units.map((unit) => unitOf(item.file, adapter, unit)));
  }
  for (const consumed of item.consumes) {
    made.append(make("h4", {}, `consumes ${consumed.namespace} `, make("code", {}, consumed.origin || "nowhere"),
      consumed.authentication ? make("span", { class: "faint" }, ` with ${consumed.authentication}`) : null),
      make("p", { class: "faint" }, consumed.operations.join(", ") || "no operations"));
  }
  return made;
}

function variablesOf(found) {
  const rows = found.capabilities.flatMap((item) => item.variables.map((variable) => make("tr", {},
    make("th", { scope: "row" }, make("code", {}, variable.name)),
    make("td", { class: variable.isSet ? "good" : "bad" }, variable.isSet ? "set" : "missing"),
    make("td", {}, variable.source), make("td", { class: "faint" }, item.title))));
  return rows.length
    ? make("table", { class: "vars" }, make("thead", {}, make("tr", {}, ...["Variable", "Value", "From", "Of"].map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows))
    : make("p", { class: "empty" }, "No variable is read.");
}

function findingOf(item) {
  const made = make("div", { class: `finding ${item.severity}` },
    make("p", {}, make("code", {}, `${item.file}:${item.line ?? 1}:${item.column ?? 1}`), ` ${item.severity} ${item.code}: ${item.message}`));
  if (item.text) {
    const caret = " ".repeat(Math.max(0, item.column - 1)) + "^".repeat(Math.max(1, Math.min(item.text.length, item.endColumn - 1) - item.column + 1));
    made.append(make("pre", { class: "source", tabindex: "0", "aria-label": `Line ${item.line}` }, `${item.text}\n${caret}`));
  }
  if (item.help) made.append(make("p", { class: "faint" }, item.help));
  return made;
}

async function refresh() {
  try {
    overview = await ask("overview");
  } catch (error) {
    say(error.message);
    return;
  }
  const state = find("state");
  state.textContent = overview.ready ? "ready" : "degraded";
  state.className = `badge ${overview.ready ? "good" : "warn"}`;
  find("capabilities").replaceChildren(...overview.capabilities.map(capabilityOf));
  const held = new Set(overview.capabilities.filter((item) => item.heldBack).map((item) => item.file));
  find("aside").replaceChildren(
    ...overview.aside.filter((item) => !held.has(item.file)).map((item) => make("p", { class: "bad" }, `${item.file} is set aside: ${item.reason}`)),
    ...overview.conflicts.map((text) => make("p", { class: "warn" }, text)));
  find("vars").replaceChildren(variablesOf(overview));
  try {
    const found = (await ask("findings")).filter((item) => item.severity !== "info");
    find("found").replaceChildren(...(found.length ? found.map(findingOf) : [make("p", { class: "empty" }, "There is nothing to mend.")]));
  } catch (error) {
    say(error.message);
  }
}

find("reload").addEventListener("click", async () => {
  find("reload").disabled = true;
  say("Looking at the files…");
  try {
    const found = await post("reload", {});
    const held = found.capabilities.filter((item) => item.heldBack);
    say(held.length ? `Held back: ${held.map((item) => `${item.file}: ${item.heldBack}`).join("; ")}` : "All files are served as they are.");
  } catch (error) {
    say(error.message);
  }
  await refresh();
  find("reload").disabled = false;
});
find("filter").addEventListener("input", sift);
find("pause").addEventListener("change", () => {
  if (!find("pause").checked) find("calls").replaceChildren(...calls.slice(-MOST).reverse().map(shown));
  sift();
});
setInterval(() => draw(find("plots"), calls), 2000);
draw(find("plots"), calls);
refresh();
listen();
