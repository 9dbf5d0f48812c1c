// Rates, errors and latencies of the last five minutes, ten seconds a point, drawn from the calls that were seen.

const SPAN = 300, STEP = 10, POINTS = SPAN / STEP;
const SVG = "http://www.w3.org/2000/svg";

const at = (sorted, share) => sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : 0;

/** The three series, each with `POINTS` numbers, the newest last. */
export function series(calls, now) {
  const bins = Array.from({ length: POINTS }, () => []);
  for (const call of calls) {
    const index = POINTS - 1 - Math.floor((now - call.at) / STEP);
    if (index >= 0 && index < POINTS) bins[index].push(call);
  }
  const times = bins.map((bin) => bin.map((call) => call.ms).sort((one, other) => one - other));
  return [
    { title: "Calls a second", values: bins.map((bin) => bin.length / STEP), unit: "/s" },
    {
      title: "Errors",
      values: bins.map((bin) => bin.length ? 100 * bin.filter((call) => call.status >= 400).length / bin.length : 0),
      unit: " %",
    },
    { title: "Latency, 95 of 100 below", values: times.map((sorted) => at(sorted, 0.95)), unit: " ms" },
  ];
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

const rounded = (value) => value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export function draw(place, calls) {
  const figures = series(calls, Date.now() / 1000).map(({ title, values, unit }) => {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const name = document.createElement("span"), last = document.createElement("span");
    const newest = values[values.length - 1], most = Math.max(...values);
    name.textContent = title;
    last.textContent = `${rounded(newest)}${unit}`;
    caption.append(name, last);
    const label = `${title} over five minutes: now ${rounded(newest)}${unit}, at most ${rounded(most)}${unit}`;
    const svg = element("svg", { viewBox: "0 0 300 60", preserveAspectRatio: "none", role: "img", "aria-label": label });
    const top = most || 1, wide = 300 / POINTS;
    values.forEach((value, index) => {
      const high = value ? Math.max(2, 56 * value / top) : 0;
      svg.append(element("rect", {
        x: index * wide + 1, y: 58 - high, width: wide - 2, height: high,
        fill: title === "Errors" ? "var(--bad)" : "var(--bar)",
      }));
    });
    svg.append(element("line", { x1: 0, y1: 59, x2: 300, y2: 59, stroke: "var(--line)" }));
    figure.append(svg, caption);
    return figure;
  });
  place.replaceChildren(...figures);
}

/** A bar of a waterfall: where in the call something began, and how long it took. */
export function bar(start, length, whole) {
  const svg = element("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  const scale = 100 / (whole || 1);
  const x = Math.min(99, Math.max(0, start * scale));
  svg.append(element("rect", { x, y: 1, width: Math.max(0.6, Math.min(100 - x, length * scale)), height: 8, rx: 1 }));
  return svg;
}
