// Tables that can be sorted and paged; a row with times leads to its place on the chart.
const ROWS_PER_PAGE = 20;
const FILES = { trades: "trades.csv", positions: "positions.csv" };
const READERS = {
  text: (value) => (typeof value === "boolean" ? (value ? "yes" : "no") : String(value)),
  time: moment,
  count: (value) => value.toLocaleString("en-US"),
  number: amount,
  money: signed,
  ratio: percent,
};
const tone = (value) => (value < 0 ? " loss" : value > 0 ? " gain" : "");

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

class TableView {
  constructor(table, goTo) {
    this.table = table;
    this.goTo = goTo;
    this.rows = [...table.rows];
    this.page = 0;
    this.times = table.columns.flatMap(([, kind], index) => (kind === "time" ? [index] : []));
    const isLog = this.times.length > 0;
    this.sort = isLog ? { column: this.times[this.times.length - 1], isDescending: true } : null;
    this.section = make("section");
    const title = make("h2", table.title);
    if (table.owner) title.append(make("small", ` ${table.owner}`, "muted"));
    this.section.append(title, make("p", this.note(), "muted"), this.body(), this.pager());
    if (this.sort) this.resort();
    else this.show();
  }
  get pages() { return Math.ceil(this.rows.length / ROWS_PER_PAGE); }
  note() {
    const { name, note, total } = this.table;
    const told = note ? [note] : [];
    if (total > this.rows.length) {
      const file = FILES[name] || "result.json";
      told.push(`The latest ${this.rows.length} of ${total} rows; all are in ${file}.`);
    } else if (total > ROWS_PER_PAGE) told.push(`${total} rows.`);
    if (this.times.length && this.goTo) told.push("Press a row to see it on the chart, a head to sort.");
    return told.join(" ");
  }
  body() {
    const scroll = make("div", undefined, "scroll");
    const table = make("table");
    this.head = table.createTHead().insertRow();
    this.lines = table.createTBody();
    this.table.columns.forEach(([title, kind], column) => {
      const cell = make("th", undefined, this.isNumber(kind) ? "number" : "");
      const button = make("button");
      cell.scope = "col";
      button.type = "button";
      button.dataset.name = title;
      button.textContent = title;
      button.addEventListener("click", () => this.sortBy(column, kind));
      cell.append(button);
      this.head.append(cell);
    });
    scroll.append(table);
    return scroll;
  }
  pager() {
    const bar = make("nav", undefined, "bar");
    bar.setAttribute("aria-label", `Pages of ${this.table.title}`);
    bar.hidden = this.pages < 2;
    this.previous = make("button", "Previous");
    this.next = make("button", "Next");
    this.place = make("span");
    this.place.setAttribute("aria-live", "polite");
    for (const [button, way] of [[this.previous, -1], [this.next, 1]]) {
      button.type = "button";
      button.addEventListener("click", () => { this.page += way; this.show(); });
    }
    bar.append(this.previous, this.place, this.next);
    return bar;
  }
  isNumber(kind) { return kind !== "text" && kind !== "time"; }
  sortBy(column, kind) {
    const isSame = this.sort && this.sort.column === column;
    this.sort = { column, isDescending: isSame ? !this.sort.isDescending : this.isNumber(kind) };
    this.page = 0;
    this.resort();
  }
  resort() {
    const { column, isDescending } = this.sort;
    const sign = isDescending ? -1 : 1;
    const rank = (value) => (value === null ? Infinity * sign : value);
    this.rows.sort((a, b) => {
      const [one, other] = [rank(a[column]), rank(b[column])];
      return one < other ? -sign : one > other ? sign : 0;
    });
    [...this.head.cells].forEach((cell, i) => {
      const arrow = isDescending ? " ▼" : " ▲";
      cell.firstChild.textContent = cell.firstChild.dataset.name + (i === column ? arrow : "");
      if (i === column) cell.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    this.show();
  }
  show() {
    this.lines.replaceChildren();
    for (const row of this.rows.slice(this.page * ROWS_PER_PAGE, (this.page + 1) * ROWS_PER_PAGE)) this.addLine(row);
    this.place.textContent = `Page ${this.page + 1} of ${this.pages}`;
    this.previous.disabled = this.page === 0;
    this.next.disabled = this.page === this.pages - 1;
  }
  // Whose chart a row belongs to: that of the table's bot, or what the row itself says.
  symbolOf(row) {
    const cell = (title) => row[this.table.columns.findIndex(([each]) => each === title)];
    return cell("Symbol") || data.bots[this.table.owner] || data.bots[cell("Bot")];
  }
  addLine(row) {
    const line = this.lines.insertRow();
    this.table.columns.forEach(([, kind], column) => {
      const value = row[column];
      const isColoured = kind === "money" && value !== null;
      const text = value === null || value === "" ? "–" : READERS[kind](value);
      line.append(make("td", text, (this.isNumber(kind) ? "number" : "") + (isColoured ? tone(value) : "")));
    });
    const times = this.times.map((column) => row[column]).filter((value) => value !== null);
    if (!times.length || !this.goTo) return;
    line.className = "leads";
    line.tabIndex = 0;
    const go = () => this.goTo(Math.min(...times), Math.max(...times), this.symbolOf(row));
    line.addEventListener("click", go);
    line.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
  }
}
