// Colours of the page, light or dark, and what follows when they change.
const data = JSON.parse(document.getElementById("data").textContent);
const library = window.LightweightCharts;
const byId = (id) => document.getElementById(id);
const PALETTES = {
  dark: {
    surface: "#161b22", line: "#21262d", border: "#30363d", text: "#9da7b3", strong: "#e6edf3",
    gain: "#3fb950", loss: "#f85149", candleUp: "#2b7a3a", candleDown: "#a33a35",
    blue: "#4da3ff", orange: "#ed800d", purple: "#c98bdb", grey: "#8b949e", yellow: "#d9b13b",
  },
  light: {
    surface: "#ffffff", line: "#eef1f4", border: "#d0d7de", text: "#57606a", strong: "#1f2328",
    gain: "#1a7f37", loss: "#cf222e", candleUp: "#7cc48d", candleDown: "#e69a9a",
    blue: "#0969da", orange: "#bc4c00", purple: "#8250df", grey: "#6e7781", yellow: "#9a6700",
  },
};
const theme = {
  name: "dark",
  listeners: [],
  get colours() { return PALETTES[this.name]; },
  set(name) {
    this.name = name;
    document.documentElement.dataset.theme = name;
    byId("theme").textContent = name === "dark" ? "Light" : "Dark";
    for (const listener of this.listeners) listener();
  },
  toggle() { this.set(this.name === "dark" ? "light" : "dark"); },
};
const toneColour = (tone) => {
  const c = theme.colours;
  return [c.grey, c.gain, c.loss, c.gain, c.loss, c.purple][tone];
};

function chartColours() {
  const c = theme.colours;
  return {
    layout: {
      background: { type: "solid", color: c.surface },
      textColor: c.text,
      panes: { separatorColor: c.border },
    },
    grid: { vertLines: { color: c.line }, horzLines: { color: c.line } },
    rightPriceScale: { borderColor: c.border },
    timeScale: { borderColor: c.border },
  };
}
function newChart(element) {
  const chart = library.createChart(element, {
    autoSize: true,
    layout: { attributionLogo: true },
    rightPriceScale: { minimumWidth: 84 },
    timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.01, rightOffset: 2 },
    crosshair: { mode: library.CrosshairMode.Normal },
    localization: { locale: "en-GB", dateFormat: "yyyy-MM-dd" },
  });
  const recolour = () => chart.applyOptions(chartColours());
  theme.listeners.push(recolour);
  recolour();
  return chart;
}

// -- texts ---------------------------------------------------------------------------------------------------

function amount(value) {
  const size = Math.abs(value);
  const digits = size >= 1 || size === 0 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
  const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return text.replace("-", "−");
}
const signed = (value) => (value > 0 ? "+" : "") + amount(value);
const percent = (value) => `${(value * 100).toFixed(2)} %`.replace("-", "−");
const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
