"use strict";
const message = document.getElementById("message");
const theme = document.getElementById("theme");

/** Make `shown` what `fresh` is, and leave alone what did not change: what a person writes, opens or reads. */
function renew(shown, fresh) {
  if (shown.nodeType === Node.TEXT_NODE) {
    if (shown.data !== fresh.data) shown.data = fresh.data;
    return;
  }
  if (shown.nodeType !== Node.ELEMENT_NODE || shown.hasAttribute("data-own")) return;
  for (const {name, value} of fresh.attributes) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  renewChildren(shown, fresh);
}

/** Children are the same by their key; those without, by their name and order. */
function renewChildren(shown, fresh) {
  const wanted = new Set([...fresh.children].map(keyOf).filter(Boolean));
  let next = shown.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = counterpart(child, shown, next);
    if (same) {
      while (next && next !== same && !wanted.has(keyOf(next))) next = removed(next);
      renew(same, child);
    }
    if (same && same === next) next = next.nextSibling;
    else shown.insertBefore(same || child, next);
  }
  while (next) next = removed(next);
}

function counterpart(child, shown, next) {
  const key = keyOf(child);
  if (key) return [...shown.children].find((other) => keyOf(other) === key);
  while (next && !keyOf(next) && next.nodeName !== child.nodeName) next = next.nextSibling;
  return next && !keyOf(next) ? next : undefined;
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined;
}

/** Asked as a document, so that no text is ever parsed into this page. */
function fetchLive() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.open("GET", "/sandbox/live" + location.search);
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject());
    request.onerror = reject;
    request.send();
  });
}

let newest = 0;
async function look() {
  const turn = ++newest;
  try {
    const fresh = await fetchLive();
    if (turn === newest) renewChildren(document.querySelector("main"), fresh.body);
    message.textContent = "";
  } catch {
    message.textContent = "The sandbox does not answer. Start it again, and this page goes on.";
  }
}

async function send(form, path, method, body) {
  const error = form.querySelector(".error");
  let opened;
  try {
    const reply = await fetch("/sandbox/" + path, {method, body: body && JSON.stringify(body)});
    const answer = await reply.json();
    error.textContent = reply.ok ? "" : answer.error;
    opened = reply.ok && answer.id;
    if (opened) show("instance", opened);
  } catch {
    error.textContent = "The sandbox did not answer.";
  }
  await look();
  if (opened) document.querySelector(`[data-key="${opened}"]`)?.scrollIntoView({block: "nearest"});
}

function show(name, value) {
  const address = new URL(location);
  address.searchParams.set(name, value);
  history.replaceState(null, "", address);
}

/** What a form sends: the values that are not empty, as texts. */
function bodyOf(form, submitter) {
  const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (form.dataset.send === "faults") {
    for (const name of ["times", "seconds"]) if (name in values) values[name] = Number(values[name]);
    return values;
  }
  const {process, element} = form.dataset;
  return {...(process ? {process} : {element}), parameters: "alone" in submitter.dataset ? {} : values};
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.target.dataset.send, "POST", bodyOf(event.target, event.submitter));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="?"]');
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href") === "?" ? location.pathname : link.href);
    look();
  } else if (event.target.id === "clear") {
    send(event.target.form, "faults", "DELETE");
  }
});

const dark = matchMedia("(prefers-color-scheme: dark)");
function isDark() {
  return document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : dark.matches;
}
function nameTheme() {
  theme.textContent = isDark() ? "Light" : "Dark";
}
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
dark.addEventListener("change", nameTheme);
nameTheme();
theme.hidden = false;

addEventListener("popstate", look);
setInterval(look, 1000);
