// Puts the page together and listens to the keyboard.
theme.set(window.matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
byId("theme").addEventListener("click", () => theme.toggle());
byId("price-section").hidden = !data.symbols.length;
const price = data.symbols.length ? new PriceChart() : null;
drawEquity();
drawComparison();
drawLegends();
const goTo = price && ((from, to, name) => price.goTo(from, to, name));
drawCoordination();
byId("tables").append(...data.tables.map((table) => new TableView(table, goTo).section));

document.addEventListener("keydown", (event) => {
  const isTyping = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "t") theme.toggle();
  if (!price) return;
  if (event.key >= "1" && event.key <= "9") price.toggle(Number(event.key) - 1);
  else if (event.key === "w") price.fit();
  else if (event.key === "l") price.setScale(!price.isLog);
  else if (event.key === "n") price.step(1);
  else if (event.key === "p") price.step(-1);
});
