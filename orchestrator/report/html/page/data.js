"use strict";

// What the page holds. `facts` is small and read at once. The long lists come as compressed lines of JSON in elements that
// follow this script; `unpack` reads them. Names are hostile: they only ever become the text of a node.

const facts = JSON.parse(document.getElementById("facts").textContent);

/** Folders by number: the number of the folder above (-1: none, it is a location) and the name. */
const folders = { above: [], name: [], folded: [] };

/** The changes, by column. */
const changes = { verb: [], from: [], was: [], to: [], becomes: [], size: [], reason: [], state: [], message: [] };

/** Duplicates: the number of the change that quarantines one, and the kept copy. */
const duplicates = { change: [], folder: [], name: [], size: [], why: [] };

/** What stays or has a problem: the code of its reason, where it is, and the reason itself. */
const stays = { code: [], folder: [], name: [], reason: [] };

const strings = new Map();

/** The same text, stored once. */
function shared(text) {
  if (!strings.has(text)) strings.set(text, text);
  return strings.get(text);
}

/** How each kind of line is read: the first value of a line is its kind. */
const readers = {
  f([, above, name]) {
    folders.above.push(above);
    folders.name.push(name);
  },
  o([, verb, from, was, to, becomes, size, reason, state, message]) {
    changes.verb.push(verb);
    changes.from.push(from);
    changes.was.push(was);
    changes.to.push(to);
    changes.becomes.push(becomes === 0 ? was : becomes);
    changes.size.push(size);
    changes.reason.push(shared(reason));
    changes.state.push(state ?? 0);
    changes.message.push(message ? shared(message) : "");
  },
  d([, folder, name, size, why]) {
    duplicates.change.push(changes.verb.length - 1);
    duplicates.folder.push(folder);
    duplicates.name.push(name);
    duplicates.size.push(size);
    duplicates.why.push(shared(why));
  },
  s([, code, folder, name, reason]) {
    stays.code.push(code);
    stays.folder.push(folder);
    stays.name.push(name);
    stays.reason.push(shared(reason));
  },
};

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** Write the compressed pieces into a stream; each leaves the page once it is read, to save memory. */
async function feed(writable) {
  const writer = writable.getWriter();
  for (const piece of document.querySelectorAll("script.rows")) {
    await writer.write(bytesOf(piece.textContent));
    piece.remove();
  }
  await writer.close();
}

/** Read all rows. */
async function unpack() {
  const gzip = new DecompressionStream("gzip");
  const fed = feed(gzip.writable);
  const reader = gzip.readable.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const row = JSON.parse(line);
      readers[row[0]](row);
    }
  }
  await fed;
  strings.clear();
}

/** Text as it is compared in searches: without case and accents. */
function folded(text) {
  const lower = text.toLowerCase();
  return /^[\x20-\x7e\n]*$/.test(lower) ? lower : lower.normalize("NFD").replace(/\p{M}/gu, "");
}

/** A folder with those above it. With `location`, that stands in front. */
function folderPath(folder, location) {
  const names = [];
  let at = folder;
  for (; folders.above[at] >= 0; at = folders.above[at]) names.unshift(folders.name[at]);
  if (!location) return names.join("/");
  const root = folders.name[at];
  return names.length && !/[:/]$/.test(root) ? `${root}/${names.join("/")}` : root + names.join("/");
}

/** A file with its folders; with its location if the page is about several. */
function filePath(folder, name, location = facts.several) {
  const path = folderPath(folder, location);
  return path && !/[:/]$/.test(path) ? `${path}/${name}` : path + name;
}

function foldedFolder(folder) {
  return (folders.folded[folder] ??= folded(folderPath(folder, true)));
}

function sizeText(size) {
  if (size === null) return "?";
  let value = size;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return unit === "B" ? `${value} B` : `${value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

const numbers = new Intl.NumberFormat("en");

function counted(number, noun) {
  return `${numbers.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** The role of each part of a table: styles that stack its cells on narrow screens would take it from some readers. */
const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell" };

/** A new element. Children may be nodes or texts; texts stay texts. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  const role = name === "th" ? (attributes.scope === "row" ? "rowheader" : "columnheader") : ROLES[name];
  if (role) made.setAttribute("role", role);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
