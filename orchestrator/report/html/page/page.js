// Fills the places of the page once its rows are read.

/** The change under a folder of the tree: what it was, or what it becomes. */
const SIDES = {
  after: { title: "After", folder: changes.to, name: changes.becomes, arrow: "←", word: "from" },
  before: { title: "Before", folder: changes.from, name: changes.was, arrow: "→", word: "to" },
};

function mount(name) {
  return document.querySelector(`[data-view="${name}"]`);
}

/** A file as a path with its folder set apart. */
function fileNode(folder, name) {
  const path = folderPath(folder, facts.several);
  return element("span", { class: "path" }, element("span", { class: "name" }, name), element("span", { class: "where" }, path || "/"));
}

function badge(verb) {
  return element("span", { class: `badge verb-${facts.verbs[verb]}` }, facts.verbs[verb]);
}

function stateBadge(state) {
  return element("span", { class: `badge state-${facts.states[state].replace(" ", "-")}` }, facts.states[state]);
}

/** A list of what there is to know of one thing: [[name, text or node]]. */
function details(pairs) {
  const shown = pairs.filter(([, value]) => value);
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

/** The boxes that choose among kinds: {legend, names, ofRow}. Returns their element and a test for rows; null for one kind. */
function kindFilter(legend, names, column, changed) {
  const counts = names.map(() => 0);
  for (const kind of column) counts[kind] += 1;
  const there = names.map((_, kind) => kind).filter((kind) => counts[kind]);
  if (there.length < 2) return null;
  const wanted = new Set(there);
  const boxes = there.map((kind) => {
    const box = element("input", { type: "checkbox", checked: "" });
    box.addEventListener("change", () => {
      if (box.checked) wanted.add(kind);
      else wanted.delete(kind);
      changed();
    });
    return element("label", { class: "choice" }, box, names[kind], element("span", { class: "amount" }, numbers.format(counts[kind])));
  });
  return {
    element: element("fieldset", {}, element("legend", { class: "hidden" }, legend), ...boxes),
    has: (row) => wanted.size === there.length || wanted.has(column[row]),
  };
}

function button(text, pressed, action) {
  const made = element("button", { type: "button", "aria-pressed": pressed }, text);
  made.addEventListener("click", action);
  return made;
}

function textOfChange(row) {
  const parts = [
    `${foldedFolder(changes.from[row])}/${folded(changes.was[row])}`,
    `${foldedFolder(changes.to[row])}/${folded(changes.becomes[row])}`,
    folded(`${changes.reason[row]} ${changes.message[row]}`),
  ];
  return parts.join("\n");
}

function showChanges(place) {
  const rows = changes.verb.map((_, row) => row);
  const status = element("p", { class: "status", role: "status" });
  const detail = element("div", { class: "detail", "aria-live": "polite" });
  let side = "after";
  let terms = [];

  function draw(made, row) {
    const { arrow, word } = SIDES[side];
    const other = SIDES[side === "after" ? "before" : "after"];
    const same = changes.from[row] === changes.to[row] && changes.was[row] === changes.becomes[row];
    const marks = facts.states.length ? [stateBadge(changes.state[row])] : [];
    if (facts.verbs[changes.verb[row]] !== "move") marks.unshift(badge(changes.verb[row]));
    made.append(
      element("span", { class: "name" }, SIDES[side].name[row]),
      element("span", { class: "marks" }, ...marks),
      element(
        "span",
        { class: "other" },
        ...(same ? [] : [element("span", { "aria-hidden": "true" }, `${arrow} `), element("span", { class: "hidden" }, `${word} `), filePath(other.folder[row], other.name[row])]),
      ),
      element("span", { class: "amount" }, changes.size[row] === null ? "" : sizeText(changes.size[row])),
    );
  }

  function chosen(row) {
    detail.replaceChildren(
      details([
        ["What", facts.verbs[changes.verb[row]]],
        ["From", filePath(changes.from[row], changes.was[row])],
        ["To", filePath(changes.to[row], changes.becomes[row])],
        ["Size", sizeText(changes.size[row])],
        ["Why", changes.reason[row]],
        ["Result", facts.states.length ? facts.states[changes.state[row]] : ""],
        ["Message", changes.message[row]],
      ]),
    );
  }

  const tree = new Tree("Changes", { nameOf: (row) => SIDES[side].name[row], draw, chosen });

  if (facts.states.length) tree.view.classList.add("with-results");

  function refresh() {
    const found = rows.filter(
      (row) => filters.every((one) => one.has(row)) && (!terms.length || terms.every((term) => textOfChange(row).includes(term))),
    );
    tree.show(branchesOf(found, (row) => SIDES[side].folder[row], () => "", (row) => changes.size[row]));
    if (terms.length && found.length <= 500) tree.openAll(true);
    detail.replaceChildren();
    const of = found.length === rows.length ? "" : ` of ${numbers.format(rows.length)}`;
    status.textContent = `${numbers.format(found.length)}${of} ${rows.length === 1 ? "change" : "changes"}`;
  }

  const filters = [
    kindFilter("Kinds of changes", facts.verbs, changes.verb, refresh),
    facts.states.length ? kindFilter("Results", facts.states, changes.state, refresh) : null,
  ].filter(Boolean);
  const sides = Object.entries(SIDES).map(([key, { title }]) =>
    button(title, String(key === side), (event) => {
      side = key;
      for (const one of sides) one.setAttribute("aria-pressed", String(one === event.currentTarget));
      refresh();
    }),
  );
  const all = [button("Open all", null, () => tree.openAll(true)), button("Close all", null, () => tree.openAll(false))];
  const search = searchField("changes", (words) => {
    terms = words;
    refresh();
  });
  place.replaceChildren(
    element(
      "div",
      { class: "tools" },
      element("div", { class: "switch", role: "group", "aria-label": "Show the folders" }, ...sides),
      search,
      ...filters.map((one) => one.element),
      element("div", { class: "buttons" }, ...all),
      status,
    ),
    tree.view,
    detail,
  );
  refresh();
}

function showDuplicates(place) {
  const rows = duplicates.change.map((_, row) => row);
  const removed = (row) => duplicates.change[row];
  const columns = [
    { title: "Kept", cell: (row) => fileNode(duplicates.folder[row], duplicates.name[row]) },
    { title: "Size", number: true, cell: (row) => sizeText(duplicates.size[row]) },
    { title: "To the quarantine", cell: (row) => fileNode(changes.from[removed(row)], changes.was[removed(row)]) },
    { title: "Size", number: true, cell: (row) => sizeText(changes.size[removed(row)]) },
    { title: "Why", cell: (row) => duplicates.why[row] },
  ];
  const textOf = (row) => `${filePath(duplicates.folder[row], duplicates.name[row], true)}\n${textOfChange(removed(row))}`;
  place.replaceChildren(searchableTable("Duplicates", columns, rows, textOf, rows.length === 1 ? "duplicate" : "duplicates"));
}

function showStays(place) {
  const rows = stays.code.map((_, row) => row);
  const status = element("p", { class: "status", role: "status" });
  const detail = element("div", { class: "detail", "aria-live": "polite" });
  const draw = (made, row) => {
    made.append(element("span", { class: "name" }, stays.name[row] || "(all of it)"), element("span", { class: "other" }, stays.reason[row]));
  };
  const chosen = (row) => {
    const { title, remedy } = facts.codes[stays.code[row]];
    const path = filePath(stays.folder[row], stays.name[row]);
    detail.replaceChildren(details([["File", path], ["Kind", title], ["Why", stays.reason[row]], ["What to do", remedy]]));
  };
  const tree = new Tree("What stays", { nameOf: (row) => stays.name[row], draw, chosen });
  function refresh(terms) {
    const found = terms.length
      ? rows.filter((row) => matches(`${filePath(stays.folder[row], stays.name[row], true)}\n${stays.reason[row]}`, terms))
      : rows;
    tree.show(branchesOf(found, (row) => stays.folder[row], (row) => facts.codes[stays.code[row]].title, () => 0));
    if (terms.length && found.length <= 500) tree.openAll(true);
    detail.replaceChildren();
    const of = found.length === rows.length ? "" : ` of ${numbers.format(rows.length)}`;
    status.textContent = `${numbers.format(found.length)}${of} ${rows.length === 1 ? "file" : "files"}`;
  }
  place.replaceChildren(element("div", { class: "tools" }, searchField("what stays", refresh), status), tree.view, detail);
  refresh([]);
}

/** The buttons beside what there is to know: each searches for its changes. */
function findButtons() {
  const field = document.querySelector('[data-view="changes"] input[type="search"]');
  if (!field) return;
  for (const made of document.querySelectorAll("button.find")) {
    made.addEventListener("click", () => {
      field.value = made.dataset.search;
      field.dispatchEvent(new Event("input"));
      document.getElementById("changes").scrollIntoView();
      field.focus({ preventScroll: true });
    });
    made.hidden = false;
  }
}

/** A table of the facts: {title, columns: [[title, number]], rows: [[text, or text and number]], noun}. */
function showTable(place, { title, columns, rows, noun }) {
  const made = columns.map(([name, number], index) => ({
    title: name,
    number,
    cell: (row) => (Array.isArray(row[index]) ? row[index][0] : row[index]),
    sortedBy: (row) => (Array.isArray(row[index]) ? row[index][1] : row[index]),
  }));
  const textOf = (row) => made.map((column) => column.cell(row)).join("\n");
  place.replaceChildren(searchableTable(title, made, rows, textOf, noun));
}

function themeButton() {
  const made = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const shown = () => chosen ?? (dark.matches ? "dark" : "light");
  const label = () => (made.textContent = shown() === "dark" ? "Light" : "Dark");
  made.addEventListener("click", () => {
    chosen = shown() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    label();
  });
  dark.addEventListener("change", label);
  label();
  made.hidden = false;
}

async function start() {
  themeButton();
  const charts = mount("charts");
  if (charts) charts.replaceChildren(...facts.charts.map(chart));
  facts.tables.forEach((table, index) => showTable(mount(`table-${index}`), table));
  if (document.readyState === "loading") await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
  try {
    await unpack();
  } catch (error) {
    document.getElementById("main").append(element("p", { class: "problem", role: "alert" }, `The lists of this page cannot be read: ${error.message}`));
    return;
  }
  const views = { changes: showChanges, duplicates: showDuplicates, stays: showStays };
  for (const [name, show] of Object.entries(views)) {
    const place = mount(name);
    if (place) show(place);
  }
  findButtons();
  document.documentElement.dataset.ready = "true";
}

start();
