// The equity of the run and of what it is compared with, in one chart.
function drawComparison() {
  const curves = data.comparison;
  if (!curves) return;
  const chart = newChart(byId("comparison-chart"));
  const strategies = curves.filter(([, kind]) => kind === "strategy").map(([name]) => name);
  const colour = (name, kind) => {
    const c = theme.colours;
    return { run: c.strong, hold: c.yellow, cash: c.grey }[kind] || [c.blue, c.orange, c.purple, c.gain, c.loss][strategies.indexOf(name) % 5];
  };
  // The run itself comes last, and so lies above the others.
  const lines = [...curves].reverse().map(([name, kind, time, values]) => {
    const series = chart.addSeries(library.LineSeries, { lineWidth: kind === "run" ? 3 : 1.5, priceLineVisible: false, lastValueVisible: false });
    series.setData(time.map((at, i) => ({ time: at, value: values[i] })));
    return [name, kind, series];
  });
  const recolour = () => { for (const [name, kind, series] of lines) series.applyOptions({ color: colour(name, kind) }); };
  theme.listeners.push(recolour);
  recolour();
  legendOf(byId("comparison-legend"), "Equity:", curves.map(([name, kind]) => [name, () => colour(name, kind)]));
  chart.timeScale().fitContent();
}
