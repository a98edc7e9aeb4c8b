"use strict";
const svg = document.querySelector("svg");
const said = document.querySelector(".said");
const search = document.querySelector("input");
const nodes = [...svg.querySelectorAll(".node")];
const edges = [...svg.querySelectorAll(".edge")].map(element => ({
  element, from: nodes[element.dataset.from], to: nodes[element.dataset.to],
}));
const hint = said.textContent;
const name = node => node.querySelector("text").textContent;
const names = list => list.length ? list.map(name).join(", ") : "none";
let held = null;

function dark() {
  svg.classList.remove("looking");
  for (const element of svg.querySelectorAll(".lit")) element.classList.remove("lit", "needs", "here");
  said.textContent = hint;
}

function light(list, text) {
  dark();
  svg.classList.add("looking");
  for (const element of list) element.classList.add("lit");
  said.textContent = text;
}

function neighbours(node) {
  const needs = edges.filter(edge => edge.from === node);
  const needed = edges.filter(edge => edge.to === node);
  const below = needs.map(edge => edge.to);
  const above = needed.map(edge => edge.from);
  const drawn = [...needs, ...needed].map(edge => edge.element);
  light([node, ...below, ...above, ...drawn], `${name(node)} is needed by ${names(above)}. It needs ${names(below)}.`);
  node.classList.add("here");
  for (const edge of needs) edge.element.classList.add("needs");
}

function found() {
  const text = search.value.trim().toLowerCase();
  return text ? nodes.filter(node => name(node).toLowerCase().includes(text)) : [];
}

// What stays when the mouse is elsewhere: a package that was clicked, else what was searched for.
function rest() {
  if (held) return neighbours(held);
  const hits = found();
  if (hits.length || search.value.trim()) light(hits, `${hits.length} found: ${names(hits)}`);
  else dark();
}

function hold(node) {
  held = held === node ? null : node;
  rest();
}

for (const node of nodes) {
  node.addEventListener("mouseenter", () => neighbours(node));
  node.addEventListener("mouseleave", rest);
  node.addEventListener("focus", () => neighbours(node));
  node.addEventListener("blur", rest);
  node.addEventListener("click", () => hold(node));
  node.addEventListener("keydown", event => { if (event.key === "Enter") hold(node); });
}
for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    const shown = nodes.filter(node => node.classList.contains(button.dataset.show));
    light(shown, `${button.textContent}: ${names(shown)}`);
  });
}
document.querySelector("[data-whole]").addEventListener("click", () => svg.parentElement.classList.toggle("whole"));
search.addEventListener("input", () => { held = null; rest(); });
search.addEventListener("keydown", event => {
  if (event.key === "Enter") found()[0]?.scrollIntoView({ block: "center", inline: "center" });
});
document.addEventListener("keydown", event => {
  if (event.key === "Escape") { held = null; search.value = ""; rest(); }
});
