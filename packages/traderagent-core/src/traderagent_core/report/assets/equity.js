// The chart of equity, with the drawdown below it.
function drawEquity() {
  const { time, equity, drawdown } = data.equity;
  if (!time.length) {
    byId("equity-section").hidden = true;
    return;
  }
  const chart = newChart(byId("equity-chart"));
  const points = (values) => time.map((at, i) => ({ time: at, value: values[i] }));
  const above = chart.addSeries(library.AreaSeries, { lineWidth: 2, title: "Equity" });
  above.setData(points(equity));
  const below = chart.addSeries(library.AreaSeries, {
    lineWidth: 1, invertFilledArea: true, title: "Drawdown",
    priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(2)} %` },
  }, 1);
  below.setData(points(drawdown.map((value) => -value)));
  chart.panes()[0].setStretchFactor(0.7);
  chart.panes()[1].setStretchFactor(0.3);
  const recolour = () => {
    const c = theme.colours;
    above.applyOptions({ lineColor: c.blue, topColor: `${c.blue}59`, bottomColor: `${c.blue}05` });
    below.applyOptions({ lineColor: c.loss, topColor: `${c.loss}05`, bottomColor: `${c.loss}59` });
  };
  theme.listeners.push(recolour);
  recolour();
  chart.timeScale().fitContent();
}
