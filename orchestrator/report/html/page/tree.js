// A tree of folders and files that holds any number of rows and draws only those in view.

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const OPENED_AT_FIRST = 40;
const ROWS_AROUND = 8;

/** A folder of a tree. `files` are numbers of rows. */
class Branch {
  constructor(name, above) {
    this.name = name;
    this.above = above;
    this.branches = [];
    this.files = [];
    this.count = 0;
    this.size = 0;
    this.open = false;
    this.sorted = false;
  }

  /** Folders first, each by name. `nameOf` gives the name of a row. */
  sort(nameOf) {
    if (this.sorted) return;
    this.branches.sort((one, other) => byName.compare(one.name, other.name));
    const names = new Map(this.files.map((row) => [row, nameOf(row)]));
    this.files.sort((one, other) => byName.compare(names.get(one), names.get(other)));
    this.sorted = true;
  }
}

/**
 * The branches of these rows. `folderOf` gives the folder of a row, `headingOf` a heading above all folders ("": none) and
 * `sizeOf` its bytes.
 */
function branchesOf(rows, folderOf, headingOf, sizeOf) {
  const root = new Branch("", null);
  const headings = new Map();
  const known = new Map();

  function heading(name) {
    if (name === "") return { branch: root, known };
    if (!headings.has(name)) {
      const branch = new Branch(name, root);
      root.branches.push(branch);
      headings.set(name, { branch, known: new Map() });
    }
    return headings.get(name);
  }

  function branch(folder, below) {
    if (folder < 0) return below.branch;
    let found = below.known.get(folder);
    if (!found) {
      const above = branch(folders.above[folder], below);
      found = new Branch(folders.name[folder], above);
      above.branches.push(found);
      below.known.set(folder, found);
    }
    return found;
  }

  for (const row of rows) {
    const size = sizeOf(row) ?? 0;
    const home = branch(folderOf(row), heading(headingOf(row)));
    home.files.push(row);
    for (let at = home; at; at = at.above) {
      at.count += 1;
      at.size += size;
    }
  }
  joinChains(root);
  return root;
}

/** A folder that holds only one folder is shown in one row with it. */
function joinChains(branch) {
  for (const [index, below] of branch.branches.entries()) {
    let last = below;
    let name = below.name;
    while (last.branches.length === 1 && last.files.length === 0 && last.above.above) {
      last = last.branches[0];
      name = /[:/]$/.test(name) ? name + last.name : `${name}/${last.name}`;
    }
    last.name = name;
    last.above = branch;
    branch.branches[index] = last;
    joinChains(last);
  }
}

let treesMade = 0;

/** See the top of the file. `draw` fills the element of a row, `chosen` is called with the row that a person selects. */
class Tree {
  constructor(label, { nameOf, draw, chosen }) {
    this.nameOf = nameOf;
    this.draw = draw;
    this.chosen = chosen;
    this.prefix = `tree${++treesMade}-`;
    this.root = null;
    this.entries = [];
    this.active = 0;
    this.waiting = 0;
    this.window = element("div", { class: "window", role: "presentation" });
    this.space = element("div", { class: "space", role: "presentation" }, this.window);
    this.view = element("div", { class: "tree", role: "tree", tabindex: "0", "aria-label": label }, this.space);
    this.view.addEventListener("scroll", () => this.later(), { passive: true });
    this.view.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.later()).observe(this.view);
  }

  /** Show this root from now on. */
  show(root) {
    this.root = root;
    this.active = 0;
    this.openSome();
    this.flatten();
    this.view.scrollTop = 0;
    this.render();
  }

  /** Open level by level while everything still fits on about one screen; always the first level. */
  openSome() {
    let level = [this.root];
    let shown = 0;
    while (level.length) {
      const next = level.flatMap((branch) => branch.branches);
      const more = level.reduce((sum, branch) => sum + branch.branches.length + branch.files.length, 0);
      if (level[0] !== this.root && level[0].above !== this.root && shown + more > OPENED_AT_FIRST) return;
      for (const branch of level) branch.open = true;
      shown += more;
      level = next;
    }
  }

  /** Open or close everything. */
  openAll(open) {
    const set = (branch) => {
      branch.open = open || branch === this.root;
      branch.branches.forEach(set);
    };
    set(this.root);
    this.active = 0;
    this.flatten();
    this.render();
  }

  flatten() {
    const entries = [];
    const walk = (branch, depth) => {
      branch.sort(this.nameOf);
      const size = branch.branches.length + branch.files.length;
      branch.branches.forEach((below, index) => {
        entries.push({ branch: below, row: -1, depth, position: index + 1, size });
        if (below.open) walk(below, depth + 1);
      });
      branch.files.forEach((row, index) => {
        entries.push({ branch: null, row, depth, position: branch.branches.length + index + 1, size });
      });
    };
    walk(this.root, 1);
    this.entries = entries;
    this.active = Math.min(this.active, Math.max(0, entries.length - 1));
  }

  get rowHeight() {
    return parseFloat(getComputedStyle(this.view).getPropertyValue("--row")) || 32;
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.render();
    });
  }

  render() {
    const height = this.rowHeight;
    this.space.style.height = `${this.entries.length * height}px`;
    const first = Math.max(0, Math.floor(this.view.scrollTop / height) - ROWS_AROUND);
    const last = Math.min(this.entries.length, first + Math.ceil(this.view.clientHeight / height) + 2 * ROWS_AROUND);
    this.window.style.transform = `translateY(${first * height}px)`;
    const drawn = [];
    for (let index = first; index < last; index++) drawn.push(this.element(index));
    this.window.replaceChildren(...drawn);
    const shown = this.active >= first && this.active < last;
    if (shown) this.view.setAttribute("aria-activedescendant", this.prefix + this.active);
    else this.view.removeAttribute("aria-activedescendant");
  }

  element(index) {
    const entry = this.entries[index];
    const made = element("div", {
      id: this.prefix + index,
      class: entry.branch ? "row folder" : "row file",
      role: "treeitem",
      "aria-level": entry.depth,
      "aria-setsize": entry.size,
      "aria-posinset": entry.position,
      "aria-expanded": entry.branch ? String(entry.branch.open) : null,
      "aria-selected": String(index === this.active),
    });
    made.dataset.index = index;
    made.style.setProperty("--depth", Math.min(entry.depth - 1, 12));
    if (entry.branch) {
      const { name, count, size } = entry.branch;
      made.append(
        element("span", { class: "name" }, name),
        element("span", { class: "amount" }, size ? `${counted(count, "file")}, ${sizeText(size)}` : counted(count, "file")),
      );
    } else {
      this.draw(made, entry.row);
    }
    return made;
  }

  /** Make a row the active one, in view. */
  go(index, { choose = true } = {}) {
    if (!this.entries.length) return;
    this.active = Math.max(0, Math.min(index, this.entries.length - 1));
    const height = this.rowHeight;
    const top = this.active * height;
    if (top < this.view.scrollTop) this.view.scrollTop = top;
    const bottom = top + height - this.view.clientHeight;
    if (bottom > this.view.scrollTop) this.view.scrollTop = bottom;
    this.render();
    const { row } = this.entries[this.active];
    if (choose && row >= 0) this.chosen(row);
  }

  toggle(index, open) {
    const { branch } = this.entries[index];
    branch.open = open ?? !branch.open;
    this.active = index;
    this.flatten();
    this.render();
  }

  click(event) {
    const row = event.target.closest(".row");
    if (!row) return;
    const index = Number(row.dataset.index);
    if (this.entries[index].branch) this.toggle(index);
    else this.go(index);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.entries.length) return;
    const entry = this.entries[this.active];
    const page = Math.max(1, Math.floor(this.view.clientHeight / this.rowHeight) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in moves) {
      this.go(this.active + moves[event.key]);
    } else if (event.key === "ArrowRight" && entry.branch) {
      if (entry.branch.open) this.go(this.active + 1);
      else this.toggle(this.active, true);
    } else if (event.key === "ArrowLeft") {
      if (entry.branch?.open) this.toggle(this.active, false);
      else this.goUp();
    } else if (event.key === "Enter" || event.key === " ") {
      if (entry.branch) this.toggle(this.active);
      else this.chosen(entry.row);
    } else {
      return;
    }
    event.preventDefault();
  }

  goUp() {
    const { depth } = this.entries[this.active];
    for (let index = this.active - 1; index >= 0; index--) {
      if (this.entries[index].depth < depth) {
        this.go(index);
        return;
      }
    }
  }
}
