// Charts: drawn by plotly.js when they come into view, from data that is packed until then.

async function unpack(script) {
  const bytes = Uint8Array.from(atob(script.textContent), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

const unpacked = new WeakMap();

// What is packed in a master's cell or in a setup's trends, read once.
function packedIn(place) {
  if (!unpacked.has(place)) {
    unpacked.set(place, unpack(place.querySelector("script.packed")).then(JSON.parse));
  }
  return unpacked.get(place);
}

let plotlyLoaded = null;

function loadPlotly() {
  plotlyLoaded ??= unpack(document.getElementById("plotly")).then((source) => {
    const script = document.createElement("script");
    script.textContent = source;
    document.head.append(script);
  });
  return plotlyLoaded;
}

// --- colours of the theme ---------------------------------------------------------------------

function colours() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    ink: read("ink"), muted: read("muted"), rule: read("rule"), sheet: read("sheet"),
    fail: read("fail"), series: [1, 2, 3, 4, 5, 6].map((n) => read(`series-${n}`)),
  };
  probe.remove();
  return found;
}

// --- what is drawn: each function returns traces and the layout's own part ----------------------

const marks = (color, extra) => ({ mode: "markers", marker: { color, size: 6, ...extra } });

function withUnit(label, unit) {
  return unit ? `${label} / ${unit}` : label;
}

// Dates of all points with some room at both ends, two months at least: days are the finest grain.
function paddedDates(series) {
  const days = series.flatMap((one) => one.points.map((point) => Date.parse(point[0]) / 864e5));
  const first = Math.min(...days);
  const last = Math.max(...days);
  const room = Math.max((last - first) * 0.04, (60 - (last - first)) / 2, 1);
  return [first - room, last + room].map((day) => new Date(day * 864e5).toISOString().slice(0, 10));
}

const draw = {
  histogram(data, c) {
    const centres = data.counts.map((_, i) => (data.edges_adu[i] + data.edges_adu[i + 1]) / 2);
    return {
      traces: [{
        x: centres, y: data.counts, mode: "lines", fill: "tozeroy",
        line: { shape: "hvh", color: c.series[0], width: 1.2 },
        hovertemplate: "%{x:.5~g} ADU: %{y} pixels<extra></extra>",
      }],
      layout: { xaxis: { title: "level / ADU" }, yaxis: { title: "pixels", type: "log" } },
    };
  },

  noise(data, c) {
    const unit = data.unit || "ADU";
    return {
      traces: [
        { name: "1/√N", x: data.n, y: data.predicted, mode: "lines",
          line: { color: c.muted, dash: "dash", width: 1.5 } },
        { name: "measured", x: data.n, y: data.measured, ...marks(c.series[0], { size: 8 }) },
      ],
      layout: {
        showlegend: true,
        xaxis: { title: "frames N", type: "log", tickvals: data.n },
        yaxis: { title: withUnit("noise", unit), type: "log" },
      },
    };
  },

  frames(data, c) {
    const dated = data.date_obs.every(Boolean);
    const x = dated ? data.date_obs : data.name.map((_, i) => i + 1);
    const panels = [
      ["level", "level / ADU", data.level],
      ["rejected", "rejected / %", data.rejected_fraction.map((f) => (f === null ? f : 100 * f))],
      ["temperature", "sensor / °C", data.temp_c],
    ].filter(([, , y]) => y.some((value) => value !== null));
    const aside = data.status.map((status) => status === "set_aside");
    const layout = { grid: { rows: panels.length, columns: 1 }, xaxis: {} };
    const traces = panels.map(([name, title, y], i) => {
      const axis = i ? String(i + 1) : "";
      layout[`yaxis${axis}`] = {
        title, domain: [1 - (i + 0.86) / panels.length, 1 - i / panels.length],
      };
      return {
        name, x, y, yaxis: `y${axis}`, xaxis: "x",
        customdata: data.name.map((file, k) => [file, aside[k] ? "set aside: " + (data.reason[k] || "") : ""]),
        mode: "markers",
        marker: {
          size: 6,
          color: aside.map((out) => (out ? c.fail : c.series[i])),
          symbol: aside.map((out) => (out ? "x" : "circle")),
        },
        hovertemplate: "%{customdata[0]}<br>%{y:.5~g} %{customdata[1]}<extra></extra>",
      };
    });
    layout.xaxis = {
      title: dated ? "UTC" : "frame", anchor: `y${panels.length > 1 ? panels.length : ""}`,
    };
    return { traces, layout };
  },

  hot_pixels(data, c) {
    return {
      traces: [{
        x: data.x, y: data.y, ...marks(c.series[1], { size: 4, opacity: 0.7 }), type: "scatter",
        customdata: data.value,
        hovertemplate: "column %{x}, row %{y}: %{customdata:.5~g}<extra></extra>",
      }],
      layout: {
        xaxis: { title: "column", range: [0, data.width], constrain: "domain" },
        yaxis: { title: "row", range: [data.height, 0], scaleanchor: "x", constrain: "domain" },
      },
    };
  },

  uniformity(data, c) {
    return {
      traces: [{
        type: "heatmap", z: data.grid, colorscale: "Cividis",
        colorbar: {
          orientation: "h", y: -0.03, yanchor: "top", thickness: 9, len: 0.8, outlinewidth: 0,
          nticks: 4, tickangle: 0, tickfont: { color: c.muted },
        },
        hovertemplate: "%{z:.4f}<extra></extra>",
      }],
      layout: {
        xaxis: { visible: false, constrain: "domain" },
        yaxis: { visible: false, autorange: "reversed", scaleanchor: "x", constrain: "domain" },
      },
    };
  },

  profile(data, c) {
    const lines = [["rows", "along rows"], ["columns", "along columns"]];
    return {
      traces: lines.filter(([key]) => data[key]).map(([key, name], i) => ({
        name, y: data[key], x: data[key].map((_, k) => (k + 0.5) / data[key].length),
        mode: "lines", line: { color: c.series[i], width: 1.5 },
      })),
      layout: {
        showlegend: true,
        xaxis: { title: "position across the image", range: [0, 1], tickformat: ".0%" },
        yaxis: { title: withUnit("level", data.unit) },
      },
    };
  },

  trend(data, c) {
    return {
      traces: data.series.map((series, i) => ({
        name: series.name,
        x: series.points.map((point) => point[0]),
        y: series.points.map((point) => point[1]),
        text: series.points.map((point) => point[2]),
        mode: "lines+markers",
        line: { color: c.series[i % 6], width: 1, dash: i < 6 ? "solid" : "dot" },
        marker: { size: 6, symbol: i % 8 },
        hovertemplate: "%{x|%Y-%m-%d}: %{y:.5~g}<br>%{text}<extra></extra>",
      })),
      layout: {
        showlegend: data.series.length > 1,
        xaxis: { type: "date", range: paddedDates(data.series) },
        yaxis: { title: withUnit(data.label, data.unit) },
      },
    };
  },
};

// --- drawing ----------------------------------------------------------------------------------

function fullLayout(own, c, plot) {
  const { clientWidth: width, clientHeight: height } = plot;
  const layout = {
    autosize: true, width, height, showlegend: false, separators: ".\u202f",
    margin: { l: 58, r: 12, t: 8, b: 40 },
    paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: c.muted },
    hoverlabel: { bgcolor: c.sheet, bordercolor: c.rule, font: { color: c.ink } },
    legend: { orientation: "h", x: 0, y: -0.26, yanchor: "top", font: { size: 11 } },
    ...own,
  };
  for (const key of Object.keys(layout)) {
    if (!/^[xy]axis/.test(key)) continue;
    const { title, ...axis } = layout[key];
    layout[key] = {
      automargin: true, gridcolor: c.rule, linecolor: c.rule, zeroline: false, ...axis,
      nticks: key[0] === "x" ? Math.max(3, Math.floor(width / 100)) : 5, tickangle: 0,
      title: { text: title || "", font: { size: 12, color: c.muted }, standoff: 8 },
    };
  }
  return layout;
}

const drawn = new Map();

async function drawChart(figure) {
  const plot = figure.querySelector(".plot");
  try {
    const place = figure.closest("td, .trends");
    const [{ charts }] = await Promise.all([packedIn(place), loadPlotly()]);
    const kind = figure.dataset.chart;
    const siblings = [...figure.parentElement.children];
    const data = kind === "trend" ? charts.trend[siblings.indexOf(figure)] : charts[kind];
    drawn.set(plot, { kind, data });
    await paint(plot);
  } catch (error) {
    plot.textContent = "This chart could not be drawn by this browser.";
    console.error(error);
  }
}

function paint(plot) {
  const { kind, data } = drawn.get(plot);
  const c = colours();
  const { traces, layout } = draw[kind](data, c);
  return Plotly.react(plot, traces, fullLayout(layout, c, plot), {
    displayModeBar: false, responsive: true,
  });
}

const inView = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    inView.unobserve(target);
    drawChart(target);
  }
}, { rootMargin: "200px" });


function repaint() {
  for (const plot of drawn.keys()) paint(plot);
}

document.addEventListener("themechange", repaint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

// Paper is white and narrower: charts are painted for it, and back afterwards.
function setPaper(on) {
  document.documentElement.classList.toggle("paper", on);
  applyTheme(on ? "light" : themeChoice.value);
}

window.addEventListener("beforeprint", () => setPaper(true));
window.addEventListener("afterprint", () => setPaper(false));

// --- the frames of a master as a table ----------------------------------------------------------

function frameTable(data) {
  const columns = [
    ["File", (i) => data.name[i]],
    ["Taken (UTC)", (i) => (data.date_obs[i] || "–").replace("T", " ").slice(0, 19)],
    ["Level / ADU", (i) => data.level[i] ?? "–"],
    ["Rejected / %", (i) => (data.rejected_fraction[i] === null ? "–" : +(100 * data.rejected_fraction[i]).toPrecision(3))],
    ["Sensor / °C", (i) => data.temp_c[i] ?? "–"],
    ["Status", (i) => (data.status[i] === "set_aside" ? `set aside: ${data.reason[i] || ""}` : "used")],
  ];
  const table = document.createElement("table");
  table.className = "data sortable";
  const head = table.createTHead().insertRow();
  columns.forEach(([label], k) => {
    const th = document.createElement("th");
    th.scope = "col";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.dataset.kind = k >= 2 && k <= 4 ? "number" : "text";
    button.textContent = label;
    const arrow = document.createElement("span");
    arrow.className = "arrow";
    arrow.ariaHidden = "true";
    button.append(arrow);
    th.append(button);
    head.append(th);
  });
  const body = table.createTBody();
  data.name.forEach((_, i) => {
    const row = body.insertRow();
    columns.forEach(([, value], k) => {
      const cell = row.insertCell();
      cell.textContent = value(i);
      if (k >= 2 && k <= 4) cell.className = "num";
    });
  });
  return table;
}

function fillFrames(details) {
  details.addEventListener("toggle", async () => {
    const place = details.querySelector(".scroll");
    if (!details.open || place.firstChild) return;
    const { charts } = await packedIn(details.closest("td"));
    place.append(frameTable(charts.frames));
  });
}

// --- what is on the page at first, and what comes when a master is opened -----------------------

function watch(root) {
  $$("figure.chart", root).forEach((figure) => inView.observe(figure));
  $$("details.frames", root).forEach(fillFrames);
}

document.addEventListener("unfolded", (event) => watch(event.detail));
watch(document);
openFromAddress();
