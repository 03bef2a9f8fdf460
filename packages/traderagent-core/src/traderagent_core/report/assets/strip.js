// Rows of bands below a chart, on its scale of time: what held when. A row has parts [from, to, colour, text, look].
const ROW_HEIGHT = 20;
const LABEL_GAP = 6;
const LOOK = { plain: 0, hatched: 1, mark: 2 };

class Strip {
  // `offset` is where in a bar its time stands: 0.5 for bars that begin at their time, 0 for points.
  constructor(chart, element, offset) {
    this.chart = chart;
    this.element = element;
    this.offset = offset;
    this.times = [];
    this.rows = [];
    this.canvas = make("canvas");
    this.told = make("div", undefined, "readout");
    this.told.hidden = true;
    element.classList.add("strip");
    element.append(this.canvas, this.told);
    chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.draw());
    new ResizeObserver(() => this.draw()).observe(element);
    this.canvas.addEventListener("mousemove", (event) => this.tell(event));
    this.canvas.addEventListener("mouseleave", () => { this.told.hidden = true; });
    theme.listeners.push(() => this.draw());
  }
  show(times, rows) {
    this.times = times;
    this.rows = rows.filter(({ parts }) => parts.length);
    this.element.hidden = !this.rows.length;
    this.element.style.height = `${this.rows.length * ROW_HEIGHT + 4}px`;
    this.draw();
  }

  // Where a time lies on the chart, as a place among its bars.
  logical(time) {
    const { times } = this;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= time) low = middle;
      else high = middle - 1;
    }
    const step = low + 1 < times.length ? times[low + 1] - times[low] : times[low] - (times[low - 1] || 0);
    return low + Math.max(0, Math.min(1, (time - times[low]) / (step || 1))) - this.offset;
  }
  timeAt(x) {
    const scale = this.chart.timeScale();
    const left = scale.logicalToCoordinate(0);
    const width = scale.logicalToCoordinate(1) - left;
    const place = (x - left) / width + this.offset;
    const bar = Math.max(0, Math.min(this.times.length - 2, Math.floor(place)));
    return this.times[bar] + (place - bar) * (this.times[bar + 1] - this.times[bar]);
  }

  draw() {
    const width = this.element.clientWidth;
    if (!width || !this.times.length) return;
    const height = this.rows.length * ROW_HEIGHT + 4;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const scale = this.chart.timeScale();
    const left = scale.logicalToCoordinate(0);
    if (left === null) return;
    const bar = scale.logicalToCoordinate(1) - left;
    const place = { context, right: scale.width(), x: (time) => left + bar * this.logical(time) };
    this.rows.forEach((row, index) => this.drawRow(row, index * ROW_HEIGHT + 3, place));
  }
  drawRow({ label, parts }, top, place) {
    const { context, right } = place;
    context.save();
    context.beginPath();
    context.rect(0, top, right, ROW_HEIGHT - 4);
    context.clip();
    context.fillStyle = theme.colours.line;
    context.fillRect(0, top, right, ROW_HEIGHT - 4);
    for (const part of parts) this.drawPart(part, top, place);
    context.restore();
    context.fillStyle = theme.colours.text;
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.fillText(label, right + LABEL_GAP, top + (ROW_HEIGHT - 4) / 2);
  }
  drawPart([from, to, colour, , look], top, { context, right, x }) {
    const start = x(from);
    const end = Math.max(x(to), start + 1.5);
    if (end < 0 || start > right) return;
    const height = ROW_HEIGHT - 4;
    context.fillStyle = context.strokeStyle = colour();
    if (look === LOOK.plain) context.fillRect(start, top, end - start, height);
    else if (look === LOOK.hatched) this.hatch(context, Math.max(start, 0), Math.min(end, right), top, height);
    else context.fillRect(end - 1, top, 2, height);
  }
  hatch(context, start, end, top, height) {
    context.save();
    context.beginPath();
    context.rect(start, top, end - start, height);
    context.clip();
    context.lineWidth = 1.5;
    context.beginPath();
    for (let at = Math.floor((start - height) / 6) * 6; at < end; at += 6) {
      context.moveTo(at, top + height);
      context.lineTo(at + height, top);
    }
    context.stroke();
    context.restore();
  }

  // What held at a time, row by row.
  textsAt(time) {
    return this.rows.flatMap(({ label, parts }) =>
      parts.filter(([from, to]) => from <= time && time < to).map(([, , , text]) => `${label}: ${text}`));
  }
  tell(event) {
    const row = this.rows[Math.floor(event.offsetY / ROW_HEIGHT)];
    const time = this.timeAt(event.offsetX);
    const reach = (this.timeAt(event.offsetX + 4) - time) / 2;
    const texts = !row || event.offsetX > this.chart.timeScale().width() ? [] : row.parts
      .filter(([from, to]) => from - reach <= time && time < to + reach)
      .map(([from, to, , text]) => `${text}, ${moment(from)} – ${moment(to)}`);
    this.told.hidden = !texts.length;
    this.told.replaceChildren(...texts.slice(-6).map((text) => make("div", text)));
    this.told.classList.toggle("at-right", event.offsetX < this.element.clientWidth / 2);
  }
}
