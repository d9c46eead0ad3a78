// A table that draws its first rows, and more on request.

const ROWS_AT_ONCE = 50;

/**
 * A table below a search field. `columns` are {title, number, cell, sortedBy}: `cell` gives a text or a node for a row, `sortedBy`
 * a text or a number if people can sort by the column. `textOf` gives what a search looks at. The first column names its row.
 */
function searchableTable(caption, columns, rows, textOf, noun) {
  const body = element("tbody");
  const head = element("tr", {}, ...columns.map((one) => heading(one, rows.length > 1, sortBy)));
  const table = element("table", {}, element("caption", { class: "hidden" }, caption), element("thead", {}, head), body);
  const more = element("button", { type: "button", class: "more" });
  const status = element("p", { class: "status", role: "status" });
  let wanted = [];
  let found = rows;
  let shown = 0;

  function drawMore() {
    const until = Math.min(found.length, shown + ROWS_AT_ONCE);
    for (; shown < until; shown++) body.append(rowOf(columns, found[shown]));
    more.hidden = shown === found.length;
    more.textContent = `Show ${numbers.format(Math.min(ROWS_AT_ONCE, found.length - shown))} more`;
    const of = found.length === rows.length ? "" : ` of ${numbers.format(rows.length)}`;
    const first = shown < found.length ? `, the first ${numbers.format(shown)} shown` : "";
    status.textContent = `${numbers.format(found.length)}${of} ${noun}${first}`;
  }

  function sortBy(column, cell) {
    const now = cell.getAttribute("aria-sort");
    const descending = column.number ? now !== "descending" : now === "ascending";
    for (const other of head.children) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
    rows = rows.toSorted((one, other) => compare(column.sortedBy(one), column.sortedBy(other)) * (descending ? -1 : 1));
    search(wanted);
  }

  function search(terms) {
    wanted = terms;
    found = terms.length ? rows.filter((row) => matches(textOf(row), terms)) : rows;
    body.replaceChildren();
    shown = 0;
    drawMore();
  }

  more.addEventListener("click", drawMore);
  drawMore();
  const parts = [element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table), more];
  if (rows.length > 10) parts.unshift(element("div", { class: "tools" }, searchField(caption, search), status));
  return element("div", { class: "listing" }, ...parts);
}

function heading(column, several, sortBy) {
  const cell = element("th", { scope: "col", class: column.number ? "number" : null });
  if (!column.sortedBy || !several) {
    cell.append(column.title);
    return cell;
  }
  const made = element("button", { type: "button", class: "sort" }, column.title);
  made.addEventListener("click", () => sortBy(column, cell));
  cell.append(made);
  return cell;
}

/** Numbers before texts, texts by name. */
function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return byName.compare(one, other);
}

function rowOf(columns, row) {
  const cells = columns.map((one, index) => {
    const attributes = { class: one.number ? "number" : null, "data-title": one.title };
    return index ? element("td", attributes, one.cell(row)) : element("th", { scope: "row", ...attributes }, one.cell(row));
  });
  return element("tr", {}, ...cells);
}

function matches(text, terms) {
  const searched = folded(text);
  return terms.every((term) => searched.includes(term));
}

let fieldsMade = 0;
const SEARCH_AFTER_MS = 150;

/** A field that calls `search` with the words in it, a moment after they were typed. */
function searchField(what, search) {
  const id = `search${++fieldsMade}`;
  const input = element("input", { id, type: "search", placeholder: "Search", autocomplete: "off", spellcheck: "false" });
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(folded(input.value).split(/\s+/).filter(Boolean)), SEARCH_AFTER_MS);
  });
  return element("div", { class: "search" }, element("label", { class: "hidden", for: id }, `Search: ${what}`), input);
}
