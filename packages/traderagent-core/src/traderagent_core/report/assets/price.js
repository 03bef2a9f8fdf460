// The chart of prices: which symbol and bars, which layers are on, what the pointer tells, going to a position.
const MARKER_PIXELS = 24;
const LOGARITHMIC_FROM = 4; // Greatest price over least one, from which equal steps are equal shares at first.
const MARKER_LOOKS = () => {
  const c = theme.colours;
  return [
    { position: "belowBar", shape: "arrowUp", color: c.blue },
    { position: "aboveBar", shape: "arrowDown", color: c.orange },
    { position: "aboveBar", shape: "circle", color: c.loss },
  ];
};

// Markers of `width` neighbouring bars as one; the text counts the fills.
function groupedMarkers(chart, width) {
  const groups = new Map();
  for (const [bar, kind, count] of chart.markers) {
    const key = Math.floor(bar / width) * 3 + kind;
    const group = groups.get(key);
    if (group) group.count += count;
    else groups.set(key, { bar, kind, count });
  }
  const looks = MARKER_LOOKS();
  return [...groups.values()].sort((a, b) => a.bar - b.bar).map(({ bar, kind, count }) => ({
    ...looks[kind],
    time: chart.time[bar],
    text: count > 1 ? String(count) : "",
  }));
}

class PriceChart {
  constructor() {
    this.element = byId("price-chart");
    this.chart = newChart(this.element);
    this.series = this.chart.addSeries(library.CandlestickSeries, { borderVisible: false });
    this.drawing = new Drawing();
    this.series.attachPrimitive(this.drawing);
    this.strip = new Strip(this.chart, byId("price-strip"), 0.5);
    this.markers = library.createSeriesMarkers(this.series, []);
    this.layers = [];
    this.chosen = new Map(); // By title of a layer: what the reader has switched.
    this.excursions = [];
    this.position = -1;
    byId("symbol-label").hidden = data.symbols.length < 2;
    byId("symbol").addEventListener("change", () => this.showSymbol());
    byId("view").addEventListener("change", () => this.showView(Number(byId("view").value)));
    byId("fit").addEventListener("click", () => this.fit());
    byId("log").addEventListener("click", () => this.setScale(!this.isLog));
    byId("earlier").addEventListener("click", () => this.step(-1));
    byId("later").addEventListener("click", () => this.step(1));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.view && this.showMarkers());
    this.chart.subscribeCrosshairMove((at) => this.tell(at));
    theme.listeners.push(() => this.recolour());
    this.recolour();
    this.showSymbol();
  }

  // -- what is shown --------------------------------------------------------------------------------------

  showSymbol() {
    this.symbol = data.symbols[Number(byId("symbol").value) || 0];
    const { precision, charts } = this.symbol;
    this.series.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
    byId("view").replaceChildren(...charts.map((chart, index) => {
      const option = document.createElement("option");
      option.value = index;
      const since = `since ${moment(chart.time[0]).slice(0, 10)}`;
      option.textContent = `${chart.timeframe} · ${index ? since : "whole period"}`;
      return option;
    }));
    byId("view-label").hidden = charts.length < 2;
    this.showView(0);
  }
  showView(index) {
    byId("view").value = String(index);
    const chart = this.view = this.symbol.charts[index];
    this.markers.setMarkers([]);
    this.series.setData(chart.time.map((time, i) => ({
      time, open: chart.open[i], high: chart.high[i], low: chart.low[i], close: chart.close[i],
    })));
    this.position = -1;
    this.makeLayers();
    byId("price-note").textContent = chart.note;
    const told = `${chart.timeframe} bars of ${this.symbol.symbol} with trades and levels`;
    this.element.setAttribute("aria-label", told);
    this.chart.priceScale("right").applyOptions({ autoScale: true });
    this.setScale(Math.max(...chart.high) > LOGARITHMIC_FROM * Math.min(...chart.low.filter((low) => low > 0)));
    this.strip.show(chart.time, pairRows(this.symbol.symbol));
    this.fit();
  }
  setScale(isLog) {
    this.isLog = isLog;
    byId("log").setAttribute("aria-pressed", String(isLog));
    const { Logarithmic, Normal } = library.PriceScaleMode;
    this.chart.priceScale("right").applyOptions({ mode: isLog ? Logarithmic : Normal });
  }
  makeLayers() {
    const chart = this.view;
    const { has_cycles: isGrid } = this.symbol;
    const c = () => theme.colours;
    const ofKind = (...kinds) => chart.segments.filter(([kind]) => kinds.includes(kind));
    const layers = [
      { title: "Fills", fills: chart.markers, colour: () => c().blue, on: true },
      { title: "Positions", spans: chart.spans, colour: () => c().gain, on: !isGrid },
      { title: "Resting orders", segments: ofKind(0, 1), colour: () => segmentColour(0), on: true },
      { title: "Average price", segments: ofKind(4), colour: () => segmentColour(4), on: !isGrid },
      { title: "Take profit", segments: ofKind(2), colour: () => segmentColour(2), on: true },
      { title: "Stop", segments: ofKind(3), colour: () => segmentColour(3), on: true },
      { title: "Excursions", excursions: chart.excursions, colour: () => c().loss, on: !isGrid },
      ...chart.layers.map((layer) => ({ ...layer, colour: () => this.layerColour(layer) })),
    ];
    const size = ({ fills, spans, segments, excursions, bands, lines, marks }) =>
      [fills, spans, segments, excursions, bands, lines, marks].reduce((sum, part) => sum + (part ? part.length : 0), 0);
    this.layers = layers.filter(size);
    for (const layer of this.layers) layer.isOn = this.chosen.has(layer.title) ? this.chosen.get(layer.title) : layer.on;
    this.drawing.layers = this.layers;
    this.makeSwitches();
    this.apply();
  }
  layerColour(layer) {
    const part = [...layer.bands.map((each) => each[4]), ...layer.lines.map((each) => each[1]), ...layer.marks.map((each) => each[3])];
    const tones = new Set(part);
    return tones.size === 1 ? toneColour(part[0]) : theme.colours.purple;
  }
  makeSwitches() {
    byId("layers").replaceChildren(...this.layers.map((layer, index) => {
      const button = document.createElement("button");
      const swatch = document.createElement("i");
      const key = index < 9 ? ` [${index + 1}]` : "";
      button.type = "button";
      button.className = "chip";
      button.title = (layer.left_out ? `${layer.left_out} of ${layer.total} are not drawn on this chart. ` : "") + `Show or hide${key}`;
      button.append(swatch, layer.title + (layer.left_out ? " *" : ""));
      button.addEventListener("click", () => this.toggle(index));
      layer.button = button;
      layer.swatch = swatch;
      return button;
    }));
    byId("left-out").hidden = !this.layers.some((layer) => layer.left_out);
  }
  toggle(index) {
    const layer = this.layers[index];
    if (!layer) return;
    layer.isOn = !layer.isOn;
    this.chosen.set(layer.title, layer.isOn);
    this.apply();
  }
  apply() {
    for (const layer of this.layers) {
      layer.button.setAttribute("aria-pressed", String(layer.isOn));
      layer.swatch.style.background = layer.colour();
    }
    this.showExcursions();
    this.width = 0;
    this.showMarkers();
    if (this.drawing.update) this.drawing.update();
  }
  isOn(title) { return this.layers.some((layer) => layer.title === title && layer.isOn); }

  showMarkers() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const bars = range ? range.to - range.from : this.view.time.length;
    const room = Math.max(8, this.element.clientWidth / MARKER_PIXELS);
    const wanted = 2 ** Math.max(0, Math.ceil(Math.log2(bars / room)));
    if (wanted === this.width) return;
    this.width = wanted;
    this.markers.setMarkers(this.isOn("Fills") ? groupedMarkers(this.view, wanted) : []);
  }
  showExcursions() {
    for (const series of this.excursions) this.chart.removeSeries(series);
    this.excursions = [];
    if (!this.isOn("Excursions")) return;
    const c = theme.colours;
    const rows = this.view.excursions;
    const format = { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(1)} %` };
    const add = (kind, column, sign, options) => {
      const series = this.chart.addSeries(kind, { priceFormat: format, priceLineVisible: false, lastValueVisible: false, ...options }, 1);
      series.setData(rows.map((row) => ({ time: this.view.time[row[0]], value: sign * row[column] })));
      this.excursions.push(series);
    };
    add(library.HistogramSeries, 1, 1, { color: `${c.gain}b0`, base: 0 });
    add(library.HistogramSeries, 2, -1, { color: `${c.loss}b0`, base: 0 });
    add(library.LineSeries, 3, 1, { color: c.strong, lineVisible: false, pointMarkersVisible: true, pointMarkersRadius: 1.5, crosshairMarkerVisible: false });
    this.excursions[0].priceScale().applyOptions({ mode: library.PriceScaleMode.Normal });
    const panes = this.chart.panes();
    panes[0].setStretchFactor(0.78);
    panes[1].setStretchFactor(0.22);
  }
  recolour() {
    const c = theme.colours;
    this.series.applyOptions({ upColor: c.candleUp, downColor: c.candleDown, wickUpColor: c.candleUp, wickDownColor: c.candleDown });
    if (this.view) this.apply();
  }

  // -- what the pointer tells -----------------------------------------------------------------------------

  tell(at) {
    const panel = byId("readout");
    const bar = at.logical === undefined ? -1 : Math.round(at.logical);
    const { view } = this;
    if (!at.point || bar < 0 || bar >= view.time.length) {
      panel.hidden = true;
      return;
    }
    const prices = ["open", "high", "low", "close"].map((name) => `${name[0].toUpperCase()} ${amount(view[name][bar])}`);
    const lines = [`${moment(view.time[bar])}  ${prices.join("  ")}`];
    const excursion = this.isOn("Excursions") && view.excursions.find((row) => row[0] === bar);
    if (excursion) lines.push(`Ended here: best +${excursion[1].toFixed(2)} %, worst −${excursion[2].toFixed(2)} %, net ${signed(excursion[3])} %`);
    if (at.paneIndex === undefined || at.paneIndex === 0) lines.push(...this.drawing.textsAt(bar, at.point.y));
    lines.push(...this.strip.textsAt(view.time[bar]));
    panel.replaceChildren(...lines.map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }));
    panel.classList.toggle("at-right", at.point.x < this.element.clientWidth / 2);
    panel.hidden = false;
  }

  // -- going somewhere ------------------------------------------------------------------------------------

  fit() { this.chart.timeScale().fitContent(); }
  zoom(first, last) {
    const room = Math.max(12, (last - first) * 0.5);
    this.chart.timeScale().setVisibleLogicalRange({ from: first - room, to: last + room });
  }
  step(way) {
    const { spans } = this.view;
    if (!spans.length) return;
    const start = this.position < 0 ? (way > 0 ? -1 : spans.length) : this.position;
    this.position = Math.min(spans.length - 1, Math.max(0, start + way));
    this.zoom(spans[this.position][0], spans[this.position][1]);
  }
  // Show a stretch of time of a symbol on the finest chart that reaches back to it.
  goTo(from, to, name) {
    const number = data.symbols.findIndex(({ symbol }) => symbol === name);
    if (number >= 0 && data.symbols[number] !== this.symbol) {
      byId("symbol").value = String(number);
      this.showSymbol();
    }
    const { charts } = this.symbol;
    let index = charts.length - 1;
    while (index > 0 && charts[index].time[0] > from) index -= 1;
    if (charts[index] !== this.view) this.showView(index);
    const barOf = (time) => {
      const after = this.view.time.findIndex((each) => each >= time);
      return after < 0 ? this.view.time.length - 1 : Math.max(0, after - 1);
    };
    this.zoom(barOf(from), barOf(to));
    byId("price-section").scrollIntoView({ behavior: "smooth" });
  }
}
