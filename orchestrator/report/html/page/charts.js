// Charts as tables with a drawn bar in each row, so that everyone can read the values.

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A picture that stretches to the size of its place. */
function picture(width, height, ...shapes) {
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...shapes);
}

/** One chart of the facts: {title, form, note, items: [[label, value, text, whether it stands for several]]}. */
function chart({ title, form, note, items }) {
  const largest = Math.max(...items.map(([, value, , several]) => (several ? 0 : value)), 1e-9);
  const sum = items.reduce((total, [, value]) => total + value, 0) || 1;
  const rows = items.map(([label, value, text, several], index) => {
    const bar = {
      bars: () => (several ? "" : picture(100, 1, drawn("rect", { class: "bar", width: (100 * value) / largest, height: 1 }))),
      columns: () => picture(1, 100, drawn("rect", { class: "bar", y: 100 - (100 * value) / largest, width: 1, height: (100 * value) / largest })),
      shares: () => picture(1, 1, drawn("rect", { class: `tone${index}`, width: 1, height: 1 })),
    }[form]();
    return element(
      "tr",
      {},
      element("th", { scope: "row", class: "name" }, label),
      element("td", { class: "mark", "aria-hidden": "true" }, bar),
      element("td", { class: "number" }, text),
    );
  });
  const caption = element("caption", {}, title);
  const parts = [element("table", { class: `chart ${form}` }, caption, element("tbody", {}, ...rows))];
  if (form === "shares") {
    let from = 0;
    const shapes = items.map(([, value], index) => {
      const shape = drawn("rect", { class: `tone${index}`, x: (100 * from) / sum, width: (100 * value) / sum, height: 1 });
      from += value;
      return shape;
    });
    parts.unshift(element("div", { class: "whole" }, picture(100, 1, ...shapes)));
  }
  if (note) parts.push(element("p", { class: "note" }, note));
  return element("div", { class: `figure ${form}` }, ...parts);
}
