// Who traded when and why: regimes, owners and transitions of a pair, modes, halts, capital and correlation.
const told = data.coordination;
const REGIME_COLOURS = {
  dark: ["#58a6ff", "#1f6feb", "#d9b13b", "#ed800d", "#3fb950", "#f85149"],
  light: ["#79b8ff", "#0550ae", "#d4a72c", "#bc4c00", "#1a7f37", "#cf222e"],
};
const HUES = [212, 28, 285, 165, 340, 60];
const SEVERAL = -1;
const STRESS_LOOK = { halt: "loss", reduced: "orange", stress: "yellow", drawdown: "purple" };

const regimeColour = (place) => (place === SEVERAL ? theme.colours.grey : REGIME_COLOURS[theme.name][place]);

// One hue for each strategy, one brightness for each of its configurations.
function seatColour(seat) {
  const place = told.seats.findIndex(([name]) => name === seat);
  const plugins = [...new Set(told.seats.map(([, plugin]) => plugin))];
  const others = told.capital.parts.map(([name]) => name).filter((name) => !told.seats.some(([each]) => each === name));
  if (place < 0) return seat === undefined ? theme.colours.grey : `hsl(${(others.indexOf(seat) * 47 + 100) % 360} 45% 50%)`;
  const plugin = told.seats[place][1];
  const step = told.seats.slice(0, place).filter(([, each]) => each === plugin).length;
  const light = theme.name === "dark" ? 38 + step * 14 : 34 + step * 15;
  return `hsl(${HUES[plugins.indexOf(plugin) % HUES.length]} 62% ${light}%)`;
}

// The rows below the price of a pair.
function pairRows(symbol) {
  const own = told && told.pairs[symbol];
  const account = told ? accountRows(symbol) : [];
  if (!own) return account;
  const regimes = own.regimes.map(([from, to, place, why]) => {
    const name = place === SEVERAL ? "several" : told.regimes[place];
    return [from, to, () => regimeColour(place), why ? `${name} (${why})` : name, LOOK.plain];
  });
  const owners = own.owners.map(([from, to, place, why]) => {
    const seat = place === SEVERAL ? undefined : told.seats[place][0];
    return [from, to, () => seatColour(seat), seat || `several (${why})`, LOOK.plain];
  });
  const moves = own.transitions.flatMap((each) => {
    const [from, to, , , outcome] = each;
    const text = transitionText(each);
    const colour = () => (outcome === "forced" || outcome === "aborted" ? theme.colours.loss : theme.colours.strong);
    return [
      [from, to, () => theme.colours.surface, text, LOOK.hatched],
      [to, to, colour, text, LOOK.mark],
    ];
  });
  return [{ label: "Regime", parts: regimes }, { label: "Strategy", parts: [...owners, ...moves] }, ...account];
}
function transitionText([, , old, next, outcome, fees, difference, penalty]) {
  const parts = [`fees ${amount(fees)}`, `price ${signed(difference)}`];
  if (penalty) parts.push(`of it penalty ${amount(penalty)}`);
  return `${told.seats[old][0]} → ${next || "nobody"}, ${outcome}; cost ${signed(fees + difference)} (${parts.join(", ")})`;
}
function modeTitle(name) {
  const own = name.slice(name.indexOf(":") + 1).replaceAll("_", " ");
  return own[0].toUpperCase() + own.slice(1);
}
// Modes of the account and, below the price of a pair, the limits of its bots.
function accountRows(symbol) {
  const modes = told.modes.filter(([, bound]) => !bound || bound === symbol).map(([name, , parts]) => ({
    label: modeTitle(name),
    parts: parts.map(([from, to, , why]) =>
      [from, to, () => theme.colours[STRESS_LOOK[name]] || theme.colours.purple, `${name} on (${why})`, LOOK.plain]),
  }));
  const halts = told.halts.map(([from, to, stage, why]) => [from, to, () => theme.colours.loss, `${stage}: ${why}`, LOOK.plain]);
  return [...modes, { label: "Emergency", parts: halts }];
}

function legendOf(element, title, entries) {
  const fill = () => element.replaceChildren(make("span", title, "muted"), ...entries.map(([name, colour]) => {
    const item = make("span", undefined, "key");
    const swatch = make("i");
    swatch.style.background = colour();
    item.append(swatch, name);
    return item;
  }));
  theme.listeners.push(fill);
  fill();
}
function drawLegends() {
  if (!told || !Object.keys(told.pairs).length) return;
  legendOf(byId("regime-legend"), "Regime:", told.regimes.map((name, place) => [name, () => regimeColour(place)]));
  legendOf(byId("seat-legend"), "Strategy:", told.seats.map(([name]) => [name, () => seatColour(name)]));
  byId("band-note").hidden = false;
}

// -- the account ---------------------------------------------------------------------------------------------

function drawCoordination() {
  byId("coordination-section").hidden = !told;
  if (!told) return;
  const { capital, correlation } = told;
  const chart = newChart(byId("capital-chart"));
  const step = library.LineType.WithSteps;
  const quiet = { priceLineVisible: false, lastValueVisible: false, lineType: step };
  const points = (values) => capital.time.map((time, i) => (values[i] === null ? { time } : { time, value: values[i] }));
  // From the whole stack down to its lowest part: each is painted over what stands for more than it.
  const sums = capital.parts.map((_, last) =>
    capital.time.map((_time, i) => capital.parts.slice(0, last + 1).reduce((sum, [, values]) => sum + values[i], 0)));
  const areas = capital.parts.map(([name], place) => [name, sums[place]]).reverse().map(([name, values]) => {
    const series = chart.addSeries(library.AreaSeries, { ...quiet, lineWidth: 1, crosshairMarkerVisible: false });
    series.setData(points(values));
    return [name, series];
  });
  const worth = chart.addSeries(library.LineSeries, { ...quiet, lineWidth: 1 });
  worth.setData(points(capital.equity));
  const pool = capital.pool && chart.addSeries(library.LineSeries, { ...quiet, lineWidth: 2 });
  if (pool) pool.setData(points(capital.pool));
  const alike = correlation && addCorrelation(chart, quiet, points(correlation));
  const recolour = () => {
    const c = theme.colours;
    for (const [name, series] of areas) {
      const colour = seatColour(name);
      series.applyOptions({ lineColor: colour, topColor: colour, bottomColor: colour });
    }
    worth.applyOptions({ color: c.grey, lineStyle: library.LineStyle.Dashed });
    if (pool) pool.applyOptions({ color: c.strong });
    if (alike) alike.applyOptions({ color: c.yellow });
  };
  theme.listeners.push(recolour);
  recolour();
  const key = capital.parts.map(([name]) => [name, () => seatColour(name)]);
  if (pool) key.push(["active pool", () => theme.colours.strong]);
  legendOf(byId("capital-legend"), "Committed by:", [...key, ["equity; above the pool is the reserve", () => theme.colours.grey]]);
  byId("capital-note").textContent = capitalNote(capital, correlation);
  new Strip(chart, byId("capital-strip"), 0).show(capital.time, accountRows());
  chart.subscribeCrosshairMove((at) => tellCapital(at));
  chart.timeScale().fitContent();
  byId("coordination-tables").append(...told.tables.map((table) => new TableView(table, goTo).section));
}
function addCorrelation(chart, quiet, values) {
  const series = chart.addSeries(library.LineSeries, {
    ...quiet, lineWidth: 1, autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 1 } }),
    priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => `${(value * 100).toFixed(0)} %` },
  }, 1);
  series.setData(values);
  series.createPriceLine({ price: told.stressed, lineWidth: 1, lineStyle: library.LineStyle.Dotted, title: "stress above", color: theme.colours.grey });
  chart.panes()[0].setStretchFactor(0.75);
  chart.panes()[1].setStretchFactor(0.25);
  return series;
}
function capitalNote({ step, pool }, correlation) {
  const texts = [`Committed is the most within each ${step}, with equity${pool ? " and active pool" : ""} of that moment.`];
  if (correlation) texts.push("Below: the largest part of the couples of symbols that moved alike.");
  return texts.join(" ");
}
function tellCapital(at) {
  const panel = byId("capital-readout");
  const { capital, correlation } = told;
  const place = at.logical === undefined ? -1 : Math.round(at.logical);
  panel.hidden = !at.point || place < 0 || place >= capital.time.length;
  if (panel.hidden) return;
  const own = capital.parts.map(([name, values]) => [name, values[place]]).filter(([, value]) => value).reverse();
  const all = own.reduce((sum, [, value]) => sum + value, 0);
  const lines = [`${moment(capital.time[place])}  committed ${amount(all)}, equity ${amount(capital.equity[place])}`];
  if (capital.pool) lines.push(`active pool ${amount(capital.pool[place])}, ${percent(all / capital.pool[place] || 0)} of it used`);
  lines.push(...own.map(([name, value]) => `${name} ${amount(value)}`));
  if (correlation && correlation[place] !== null) lines.push(`moving alike ${percent(correlation[place])}`);
  panel.replaceChildren(...lines.map((text) => make("div", text)));
  panel.classList.toggle("at-right", at.point.x < byId("capital-chart").clientWidth / 2);
}
