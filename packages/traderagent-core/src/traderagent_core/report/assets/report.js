// Draws the charts and the table of trades from the data embedded in the page.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const charts = window.LightweightCharts;
  const byId = (id) => document.getElementById(id);
  const colours = {
    surface: "#161b22", line: "#21262d", text: "#9da7b3", gain: "#3fb950", loss: "#f85149",
    blue: "#007aff", orange: "#ed800d", lightBlue: "#4da3ff",
  };
  const MARKER_PIXELS = 24;
  const PAGE_ROWS = 25;

  function newChart(element) {
    return charts.createChart(element, {
      autoSize: true,
      layout: {
        background: { type: "solid", color: colours.surface },
        textColor: colours.text,
        attributionLogo: true,
        panes: { separatorColor: "#30363d" },
      },
      grid: { vertLines: { color: colours.line }, horzLines: { color: colours.line } },
      rightPriceScale: { borderColor: "#30363d" },
      timeScale: { timeVisible: true, secondsVisible: false, borderColor: "#30363d", minBarSpacing: 0.01 },
      crosshair: { mode: charts.CrosshairMode.Normal },
      localization: { locale: "en-GB", dateFormat: "yyyy-MM-dd" },
    });
  }

  // Horizontal segments from bar to bar, drawn under the candles.
  class LevelLines {
    constructor() {
      this.segments = [];
      this.isVisible = true;
      this.views = [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.draw(target) }) }];
    }
    attached({ chart, series, requestUpdate }) {
      this.chart = chart;
      this.series = series;
      this.requestUpdate = requestUpdate;
    }
    paneViews() { return this.views; }
    draw(target) {
      const range = this.chart.timeScale().getVisibleLogicalRange();
      if (!this.isVisible || !range) return;
      target.useBitmapCoordinateSpace((scope) => {
        const context = scope.context;
        context.lineWidth = Math.max(1, Math.floor(scope.verticalPixelRatio));
        context.globalAlpha = 0.55;
        for (const segment of this.segments) this.drawOne(context, scope, range, segment);
      });
    }
    drawOne(context, scope, range, [side, price, first, last]) {
      if (last < range.from - 1 || first > range.to + 1) return;
      const y = this.series.priceToCoordinate(price);
      const left = this.chart.timeScale().logicalToCoordinate(first);
      const right = this.chart.timeScale().logicalToCoordinate(last);
      if (y === null || left === null || right === null) return;
      const half = this.chart.timeScale().options().barSpacing / 2;
      const row = Math.round(y * scope.verticalPixelRatio) + 0.5;
      context.strokeStyle = side === 0 ? colours.lightBlue : colours.orange;
      context.beginPath();
      context.moveTo((left - half) * scope.horizontalPixelRatio, row);
      context.lineTo((right + half) * scope.horizontalPixelRatio, row);
      context.stroke();
    }
  }

  const MARKER_LOOKS = [
    { position: "belowBar", shape: "arrowUp", color: colours.lightBlue },
    { position: "aboveBar", shape: "arrowDown", color: colours.orange },
    { position: "aboveBar", shape: "circle", color: colours.loss },
  ];

  // Markers of `width` neighbouring bars as one; the text counts the fills.
  function groupedMarkers(symbol, width) {
    const groups = new Map();
    for (const [bar, kind, count] of symbol.markers) {
      const key = Math.floor(bar / width) * 3 + kind;
      const group = groups.get(key);
      if (group) group.count += count;
      else groups.set(key, { bar, kind, count });
    }
    return [...groups.values()].sort((a, b) => a.bar - b.bar).map(({ bar, kind, count }) => ({
      ...MARKER_LOOKS[kind],
      time: symbol.time[bar],
      text: count > 1 ? String(count) : "",
    }));
  }

  function drawPrice() {
    if (!data.symbols.length) {
      byId("price-section").hidden = true;
      return;
    }
    const chart = newChart(byId("price-chart"));
    const series = chart.addSeries(charts.CandlestickSeries, {
      upColor: colours.gain, downColor: colours.loss, borderVisible: false,
      wickUpColor: colours.gain, wickDownColor: colours.loss,
    });
    const lines = new LevelLines();
    series.attachPrimitive(lines);
    const markers = charts.createSeriesMarkers(series, []);
    let symbol = null;
    let width = 0;

    function showMarkers() {
      const range = chart.timeScale().getVisibleLogicalRange();
      const bars = range ? range.to - range.from : symbol.time.length;
      const room = Math.max(8, byId("price-chart").clientWidth / MARKER_PIXELS);
      const wanted = 2 ** Math.max(0, Math.ceil(Math.log2(bars / room)));
      if (wanted === width) return;
      width = wanted;
      markers.setMarkers(byId("show-markers").checked ? groupedMarkers(symbol, width) : []);
    }
    function showSymbol() {
      symbol = data.symbols[Number(byId("symbol").value) || 0];
      series.applyOptions({
        priceFormat: { type: "price", precision: symbol.precision, minMove: 10 ** -symbol.precision },
      });
      markers.setMarkers([]);
      series.setData(symbol.time.map((time, i) => ({
        time, open: symbol.open[i], high: symbol.high[i], low: symbol.low[i], close: symbol.close[i],
      })));
      lines.segments = symbol.levels;
      byId("price-note").textContent = symbol.note;
      byId("price-chart").setAttribute("aria-label", `Candles of ${symbol.symbol} with trade markers and grid levels`);
      chart.priceScale("right").applyOptions({ autoScale: true });
      chart.timeScale().fitContent();
      redrawMarkers();
    }
    function redrawMarkers() {
      width = 0;
      showMarkers();
    }
    byId("symbol").addEventListener("change", showSymbol);
    byId("symbol-label").hidden = data.symbols.length < 2;
    byId("show-markers").addEventListener("change", redrawMarkers);
    byId("show-levels").addEventListener("change", (event) => {
      lines.isVisible = event.target.checked;
      lines.requestUpdate();
    });
    byId("fit").addEventListener("click", () => chart.timeScale().fitContent());
    chart.timeScale().subscribeVisibleLogicalRangeChange(() => symbol && showMarkers());
    showSymbol();
  }

  function drawEquity() {
    const { time, equity, drawdown } = data.equity;
    if (!time.length) {
      byId("equity-section").hidden = true;
      return;
    }
    const chart = newChart(byId("equity-chart"));
    const points = (values) => time.map((at, i) => ({ time: at, value: values[i] }));
    const above = chart.addSeries(charts.AreaSeries, {
      lineColor: colours.blue, topColor: "rgba(0, 122, 255, 0.35)", bottomColor: "rgba(0, 122, 255, 0.02)",
      lineWidth: 2, title: "Equity",
    });
    above.setData(points(equity));
    const below = chart.addSeries(charts.AreaSeries, {
      lineColor: colours.loss, topColor: "rgba(248, 81, 73, 0.02)", bottomColor: "rgba(248, 81, 73, 0.35)",
      lineWidth: 1, invertFilledArea: true, title: "Drawdown",
      priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(2)} %` },
    }, 1);
    below.setData(points(drawdown.map((value) => -value)));
    chart.panes()[0].setStretchFactor(0.7);
    chart.panes()[1].setStretchFactor(0.3);
    chart.timeScale().fitContent();
  }

  function amount(value) {
    const size = Math.abs(value);
    const digits = size >= 1 || size === 0 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
    return value.toFixed(digits).replace("-", "−");
  }
  const signed = (value) => (value > 0 ? "+" : "") + amount(value);
  const tone = (value) => (value < 0 ? " loss" : value > 0 ? " gain" : "");
  const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
  // Name, how a cell reads, whether it is a number.
  const COLUMNS = [
    ["Bot", String, false], ["Symbol", String, false], ["Kind", String, false], ["Slot", String, false],
    ["Side", String, false], ["Opened (UTC)", moment, false], ["Closed (UTC)", moment, false],
    ["Quantity", String, true], ["Entry", String, true], ["Exit", String, true],
    ["Gross", signed, true], ["Fees", amount, true], ["Net", signed, true],
  ];
  const CLOSED = 6;

  function drawTrades() {
    const rows = data.trades.rows;
    if (!rows.length) {
      byId("trades-section").hidden = true;
      return;
    }
    const rest = data.trades.total - rows.length;
    byId("trades-note").textContent = rest > 0
      ? `The latest ${rows.length} of ${data.trades.total} trades; ${rest} earlier ones are in trades.csv.`
      : `${rows.length} trades. Press a head to sort.`;
    const sort = { column: CLOSED, isDescending: true };
    let page = 0;
    const pages = Math.ceil(rows.length / PAGE_ROWS);
    const head = byId("trades").tHead.insertRow();
    COLUMNS.forEach(([name, , isNumber], column) => {
      const cell = document.createElement("th");
      const button = document.createElement("button");
      cell.scope = "col";
      cell.className = isNumber ? "number" : "";
      button.type = "button";
      button.dataset.name = name;
      button.addEventListener("click", () => {
        sort.isDescending = sort.column === column ? !sort.isDescending : isNumber;
        sort.column = column;
        page = 0;
        resort();
      });
      cell.append(button);
      head.append(cell);
    });

    function resort() {
      const sign = sort.isDescending ? -1 : 1;
      const { column } = sort;
      rows.sort((a, b) => (a[column] < b[column] ? -sign : a[column] > b[column] ? sign : 0));
      [...head.cells].forEach((cell, i) => {
        const arrow = sort.isDescending ? " ▼" : " ▲";
        cell.firstChild.textContent = cell.firstChild.dataset.name + (i === column ? arrow : "");
        if (i === column) cell.setAttribute("aria-sort", sort.isDescending ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      });
      show();
    }
    function show() {
      const body = byId("trades").tBodies[0];
      body.replaceChildren();
      for (const row of rows.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS)) {
        const line = body.insertRow();
        COLUMNS.forEach(([, read, isNumber], column) => {
          const cell = line.insertCell();
          cell.textContent = read(row[column]);
          cell.className = (isNumber ? "number" : "") + (read === signed ? tone(row[column]) : "");
        });
      }
      byId("page").textContent = `Page ${page + 1} of ${pages}`;
      byId("previous").disabled = page === 0;
      byId("next").disabled = page === pages - 1;
    }
    byId("previous").addEventListener("click", () => { page -= 1; show(); });
    byId("next").addEventListener("click", () => { page += 1; show(); });
    resort();
  }

  drawPrice();
  drawEquity();
  drawTrades();
})();
