// Draws what belongs to bars and prices: boxes, lines, signs. One object draws all layers that are on.
const DASHES = [[], [6, 4], [2, 3]];
const SEGMENT_KINDS = ["Resting buy", "Resting sell", "Take profit", "Stop", "Average price"];
const STRIP = 7;
const SHORT_STRETCH = 300;

function segmentColour(kind) {
  const c = theme.colours;
  return [c.blue, c.orange, c.gain, c.loss, c.yellow][kind];
}

class Drawing {
  constructor() {
    this.layers = [];
    const view = (zOrder, isTop) => ({
      zOrder: () => zOrder,
      renderer: () => ({ draw: (target) => this.draw(target, isTop) }),
    });
    this.views = [view("bottom", false), view("top", true)];
  }
  attached({ chart, series, requestUpdate }) {
    this.chart = chart;
    this.series = series;
    this.update = requestUpdate;
  }
  paneViews() { return this.views; }
  updateAllViews() {}

  // On a short stretch the scale leaves room for the lines that are on, so that a whole ladder can be seen.
  autoscaleInfo(from, to) {
    if (to - from > SHORT_STRETCH) return null;
    const prices = [];
    for (const layer of this.layers) {
      if (!layer.isOn) continue;
      for (const [, price, first, last] of layer.segments || []) if (first <= to && last >= from) prices.push(price);
    }
    if (!prices.length) return null;
    return { priceRange: { minValue: Math.min(...prices), maxValue: Math.max(...prices) } };
  }

  x(bar) { return this.chart.timeScale().logicalToCoordinate(bar); }
  y(price) { return this.series.priceToCoordinate(price); }

  draw(target, isTop) {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const place = { context, size: mediaSize, from: range.from - 1, to: range.to + 1, half: this.barHalf() };
      for (const layer of this.layers) {
        if (!layer.isOn) continue;
        if (isTop) this.drawTop(layer, place);
        else this.drawBottom(layer, place);
      }
    });
  }
  barHalf() { return (this.x(1) - this.x(0)) / 2 || 0; }

  drawBottom(layer, place) {
    for (const span of layer.spans || []) this.drawSpan(span, place);
    for (const band of layer.bands || []) this.drawBand(band, place);
    for (const segment of layer.segments || []) this.drawSegment(segment, place);
  }
  drawTop(layer, place) {
    place.context.font = "11px system-ui, sans-serif";
    for (const line of layer.lines || []) this.drawLine(line, place);
    for (const mark of layer.marks || []) this.drawMark(mark, place);
  }

  // Left and right edge of a span of bars, at least a pixel and a half wide; null where it is out of sight.
  edges(first, last, place) {
    if (last < place.from || first > place.to) return null;
    const left = this.x(first) - place.half;
    return [left, Math.max(this.x(last) + place.half, left + 1.5)];
  }

  drawSpan([first, last, , entry, exit, net], place) {
    const edges = this.edges(first, last, place);
    if (!edges) return;
    const { context, size } = place;
    const [left, right] = edges;
    context.fillStyle = exit === null ? theme.colours.grey : net > 0 ? theme.colours.gain : theme.colours.loss;
    context.globalAlpha = 0.85;
    context.fillRect(left, size.height - STRIP, right - left, STRIP - 1);
    if (exit !== null && right - left > 2) {
      const top = this.y(Math.max(entry, exit));
      const bottom = this.y(Math.min(entry, exit));
      if (top !== null && bottom !== null) {
        context.globalAlpha = 0.16;
        context.fillRect(left, top, right - left, Math.max(1, bottom - top));
      }
    }
    context.globalAlpha = 1;
  }
  drawBand([first, last, low, high, tone], place) {
    const edges = this.edges(first, last, place);
    if (!edges) return;
    const top = this.y(high);
    const bottom = this.y(low);
    if (top === null || bottom === null || bottom < 0 || top > place.size.height) return;
    const { context } = place;
    const [left, right] = edges;
    context.fillStyle = context.strokeStyle = toneColour(tone);
    context.globalAlpha = 0.17;
    context.fillRect(left, top, right - left, Math.max(1, bottom - top));
    context.globalAlpha = 0.55;
    context.lineWidth = 1;
    if (right - left > 6) context.strokeRect(left, top, right - left, Math.max(1, bottom - top));
    context.globalAlpha = 1;
  }
  drawSegment([kind, price, first, last], place) {
    const edges = this.edges(first, last, place);
    const y = edges && this.y(price);
    if (!edges || y === null || y < 0 || y > place.size.height) return;
    const { context } = place;
    context.strokeStyle = segmentColour(kind);
    context.globalAlpha = kind < 2 ? 0.6 : 0.95;
    context.lineWidth = kind < 2 ? 1 : 1.5;
    context.setLineDash(kind === 2 ? [5, 3] : []);
    context.beginPath();
    context.moveTo(edges[0], Math.round(y) + 0.5);
    context.lineTo(edges[1], Math.round(y) + 0.5);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }
  drawLine([points, tone, stroke, label], place) {
    const last = points[points.length - 1];
    if (last[0] < place.from || points[0][0] > place.to) return;
    const { context } = place;
    context.strokeStyle = context.fillStyle = toneColour(tone);
    context.lineWidth = 1.25;
    context.setLineDash(DASHES[stroke]);
    context.beginPath();
    points.forEach(([bar, price], index) => {
      if (index) context.lineTo(this.x(bar), this.y(price));
      else context.moveTo(this.x(bar), this.y(price));
    });
    context.stroke();
    context.setLineDash([]);
    const width = this.x(last[0]) - this.x(points[0][0]);
    if (label && width > 24) {
      context.textAlign = "center";
      context.fillText(label, this.x(points[0][0]) + width / 2, this.y(last[1]) - 4);
    }
  }
  drawMark([bar, price, shape, tone, label], place) {
    if (bar < place.from || bar > place.to) return;
    const x = this.x(bar);
    const y = this.y(price);
    if (y === null) return;
    const { context } = place;
    context.fillStyle = toneColour(tone);
    const isWide = place.half > 1.5;
    const size = isWide ? 5 : 3;
    context.beginPath();
    if (shape === 0) context.arc(x, y, size - 1, 0, 7);
    else if (shape === 1) context.rect(x - size + 1, y - size + 1, 2 * size - 2, 2 * size - 2);
    else if (shape === 2 || shape === 3) {
      const way = shape === 2 ? 1 : -1;
      context.moveTo(x, y + way * 3);
      context.lineTo(x - size, y + way * (3 + size * 1.6));
      context.lineTo(x + size, y + way * (3 + size * 1.6));
    }
    context.fill();
    if (label && isWide) {
      context.textAlign = "left";
      context.fillText(label, x + 6, y - 5);
    }
  }

  // Texts of everything that is on at a bar and a height.
  textsAt(bar, height) {
    const found = [];
    const near = Math.max(0.6, 7 / (2 * this.barHalf() || 1));
    const isLevel = (price, reach) => Math.abs(this.y(price) - height) < reach;
    for (const layer of this.layers.filter((each) => each.isOn)) {
      for (const span of layer.spans || []) if (span[0] <= bar && bar <= span[1]) found.push(spanText(span));
      for (const [kind, price, first, last] of layer.segments || []) {
        if (first <= bar && bar <= last && isLevel(price, 5)) found.push(`${SEGMENT_KINDS[kind]} ${amount(price)}`);
      }
      for (const [first, last, low, high, , told] of layer.bands || []) {
        const text = layer.texts[told];
        const isInside = first <= bar && bar <= last && this.y(high) <= height + 2 && height - 2 <= this.y(low);
        if (isInside && text) found.push(`${text}: ${amount(low)} – ${amount(high)}`);
      }
      for (const [points, , , , told] of layer.lines || []) {
        const text = layer.texts[told];
        const last = points[points.length - 1];
        const isOn = points[0][0] <= bar && bar <= last[0] && isLevel(last[1], 6);
        if (isOn && text) found.push(`${text} at ${amount(last[1])}`);
      }
      for (const [at, price, , , , told] of layer.marks || []) {
        const text = layer.texts[told];
        if (text && Math.abs(at - bar) <= near && isLevel(price, 14)) found.push(text);
      }
    }
    return [...new Set(found)].slice(0, 9);
  }
}

function spanText([, , isLong, entry, exit, net, mfe, mae, number, entries, reason]) {
  const steps = entries > 1 ? ` in ${entries} orders` : "";
  const way = `#${number} ${isLong ? "long" : "short"}${steps}: ${amount(entry)}`;
  const excursions = `best +${amount(mfe)}, worst −${amount(mae)}`;
  if (exit === null) return `${way}, still open; ${excursions}`;
  return `${way} → ${amount(exit)}, net ${signed(net)}, ended by ${reason}; ${excursions}`;
}
