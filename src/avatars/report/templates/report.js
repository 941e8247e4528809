"use strict";
// Tables are sorted by the buttons in their heads; planes are chosen by their components.

for (const table of document.querySelectorAll("table[data-sortable]")) {
  table.querySelectorAll("th[data-key]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", head.dataset.hint);
    head.append(" ", button);
    button.addEventListener("click", () => sort(table, head));
  });
}

function sort(table, head) {
  const falling = head.getAttribute("aria-sort") === "ascending";
  table.querySelectorAll("th[data-key]").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const place = [...head.parentNode.children].indexOf(head);
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => !row.classList.contains("heading"));
    const key = (row) => row.cells[place].dataset.sort ?? row.cells[place].textContent.trim();
    const numeric = head.dataset.key === "number";
    rows.sort((a, b) => {
      const [one, other] = [key(a), key(b)];
      if (!numeric) return one.localeCompare(other, document.documentElement.lang);
      // What has no figure comes last, whichever way.
      if (one === "" || other === "") return (one === "") - (other === "") || 0;
      return (falling ? -1 : 1) * (Number(one) - Number(other));
    });
    if (falling && !numeric) rows.reverse();
    body.append(...rows);
  }
}

const planes = document.querySelector("[data-planes]");
if (planes) {
  const figures = new Map([...planes.querySelectorAll("figure")].map((each) => [each.dataset.plane, each]));
  const count = Number(planes.dataset.planes);
  const chooser = planes.querySelector(".chooser");
  const [across, up] = chooser.querySelectorAll("select");
  for (const select of [across, up]) {
    for (let number = 1; number <= count; number += 1) select.add(new Option(String(number), String(number)));
  }
  const shown = planes.querySelector(".shown");
  const show = () => {
    const pair = [Number(across.value), Number(up.value)].sort((a, b) => a - b);
    shown.replaceChildren(figures.get(pair.join("-")));
  };
  const keepApart = (moved, other) => {
    if (moved.value === other.value) other.value = moved.value === "1" ? "2" : "1";
    show();
  };
  across.value = "1";
  up.value = "2";
  across.addEventListener("change", () => keepApart(across, up));
  up.addEventListener("change", () => keepApart(up, across));
  planes.querySelector("details")?.remove();
  chooser.hidden = false;
  show();
}
