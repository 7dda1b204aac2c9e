"use strict";
// What the page can do beyond reading: open a row, copy, filter, follow links, keys, theme. It writes texts, never
// markup, sends nothing and stores nothing. The blocks of JSON are written by `details.py`.
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text != null) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const took = (ms) => {
    if (ms < 1000) return `${ms} ms`;
    if (ms < 60000) return `${+(ms / 1000).toFixed(1)} s`;
    return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
  };

  // holes: a secret was cut out there; the mark itself is doubled
  const HOLE = /\ue000(?:\ue000|\[\ue001?([^\]]*)\]\ue001?)/g;
  const stars = (text) => String(text).replace(HOLE, (_, name) => (name === undefined ? "\ue000" : "***"));

  const read = {};
  const run = (number) => (read[number] ??= JSON.parse(one(`#d${number}`).textContent));
  const parts = (id) => [id.slice(0, id.indexOf(".")), id.slice(id.indexOf(".") + 1)];
  const rowOf = (id) => {
    const [number, key] = parts(id);
    const rows = run(number).rows;
    return Object.hasOwn(rows, key) ? rows[key] : undefined;
  };

  // curl: written by `curl.py`, the shared parts once for the run
  const curl = ({ curl: [setup, signIn, begin, end], texts }, { curl: [needs, before, head, values] }) =>
    `${setup}${texts[needs]}${signIn}${texts[before]}${begin}${texts[head]}${values}\n${end}`;
  const firstCall = (row) => row?.e.find((span) => span[0] === "c" && row.c[span[3]].curl);

  const copy = async (text, button) => {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", text);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  };

  // the inside of a row
  const prose = (tag, text, name) => {
    const element = make(tag, null, name);
    stars(text).split(/`([^`\n]+)`/).forEach((part, at) => element.append(at % 2 ? make("code", part) : part));
    return element;
  };
  const LOG = {
    read_rows: "reads the process log",
    read_row: "follows the process in the log",
    read_elements: "reads the log of its elements",
    read_element_data: "reads the log of its elements",
    find_process: "looks the process up",
    find_family: "looks the versions up",
    find_hidden_family: "looks the versions up",
    read_family: "looks the versions up",
    read_schema: "reads the design",
    who_am_i: "asks who is signed in",
    who_is_user: "asks who is signed in",
  };
  const CALLS = {
    execute: "Execute", run: "RunProcess", element: "ExecProcElByUId", complete: "CompleteExecuting",
    cancel: "CancelExecution", change: "OData change", query: "OData query",
  };
  const WAITS = { turn: "waits for another start of the process", rate: "waits for the rate of the target" };
  const PAUSES = { pause: "pauses", retry: "waits before the next attempt", poll: "waits before it looks again",
    settle: "waits for the process log", "": "waits" };
  const logRow = (row) => {
    if (!Array.isArray(row)) return `${row} rows in all`;
    const [, status, ms, words] = row;
    const end = status ? `${status}${ms != null ? `, took ${took(ms)} there` : ""}` : "found";
    return words ? `${end}: ${words}` : end;
  };
  const callEnd = (span) => {
    if (span[5]) return `answered${answerFacts(span[6])}`;
    return `${span[6]}${span[8] ? `, HTTP ${span[8]}` : ""}${span[7] ? `: ${span[7]}` : ""}`;
  };
  const answerFacts = (facts) => (facts ? `, HTTP ${facts[0]}${facts[1] != null ? `, ${facts[1]} bytes` : ""}` : "");
  const waited = ([, , , , seconds, job]) => {
    const holder = job ? `; \`${job}\` had it` : "";
    return seconds ? `${seconds} s, which do not count${holder}` : "";
  };
  const attempt = (span, row) => { // which of several attempts a call was, where each made one
    const calls = row.e.filter((each) => each[0] === "c");
    const [made, most] = row.n || [];
    return calls.length === made ? `attempt ${calls.indexOf(span) + 1} of ${most}: ` : "";
  };
  const inWords = (span, row) => { // what it is, how it ended, whether that was well
    switch (span[0]) {
      case "c": {
        const call = row.c[span[3]];
        const name = [CALLS[call.kind] || call.kind, call.process || call.entity || call.uid].filter(Boolean).join(" ");
        return [`${attempt(span, row)}sends ${name} (${span[4]})`, callEnd(span), Boolean(span[5])];
      }
      case "l":
        if (!Array.isArray(span[4])) return [LOG[span[3]] || span[3], span[4], false];
        return [LOG[span[3]] || span[3], span[4].map(logRow).join("; ") || "no row", true];
      case "w":
        return [WAITS[span[3]] || PAUSES[span[3]] || "waits", waited(span), true];
      case "s":
        return ["signs in", span[3], true];
      case "a":
        return ["asks", span[3], true];
      default:
        return [span[3] === "expectation" ? "not as expected" : span[3], span[4], false];
    }
  };

  const SVG = "http://www.w3.org/2000/svg";
  const BARS = { c: ["call", 1, 6], l: ["log", 2.5, 3], w: ["wait", 3.5, 1], a: ["ask", 1, 6], s: ["log", 2.5, 3] };
  const bar = (span, whole, ok) => {
    const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    const settings = { viewBox: "0 0 1000 8", preserveAspectRatio: "none", "aria-hidden": "true" };
    for (const [name, value] of Object.entries(settings)) svg.setAttribute(name, value);
    const x = Math.min((span[1] / whole) * 1000, 997), width = Math.max(Math.min((span[2] / whole) * 1000, 1000 - x), 3);
    const [name, y, height] = BARS[span[0]] || ["bad", 1, 6];
    path.setAttribute("d", `M${x} ${y}h${width}v${height}h-${width}z`);
    path.setAttribute("class", ok ? name : "bad");
    svg.append(path);
    return svg;
  };
  const spans = (row) => {
    const whole = Math.max(1, ...row.e.map((span) => span[1] + span[2]));
    const table = make("table"), head = make("tr"), body = make("tbody");
    const titles = [["after", "n"], ["what"], ["how it ended"], ["took", "n"], [`over ${took(whole)}`, "b"]];
    for (const [text, name] of titles) head.append(make("th", text, name));
    table.append(make("thead"), body);
    table.tHead.append(head);
    for (const span of row.e) {
      const [what, end, ok] = inWords(span, row);
      const cell = make("td", null, ok ? "" : "no"), last = make("td", null, "b"), line = make("tr");
      cell.append(prose("div", end));
      last.append(bar(span, whole, ok));
      const time = span[2] || span[0] !== "x" ? took(span[2]) : "";
      line.append(make("td", `+${took(span[1])}`, "n"), make("td", stars(what)), cell, make("td", time, "n"), last);
      body.append(line);
    }
    return table;
  };
  const block = (text) => {
    const pre = make("pre", stars(text));
    pre.tabIndex = 0;
    return pre;
  };
  const sent = (call, texts) => {
    if (call.hidden) return "left out of this page";
    if (call.large) return `${call.large.toLocaleString("en")} characters; the JSON report has them all`;
    const { request } = call;
    if (!request) return JSON.stringify(call.parameters ?? call, null, 1);
    const path = call.curl ? texts[request.path] : request.path;
    if (request.left_out) return `${request.method} ${path}\n${request.left_out} bytes are not in the events`;
    const query = (request.query || []).map(([name, value]) => `${name}: ${value}`);
    const body = request.body == null ? [] : [JSON.stringify(request.body, null, 1)];
    return [`${request.method} ${path}`, ...query, ...body].join("\n");
  };
  const expectation = ([that, met, why]) => {
    if (met) return prose("p", `✓ met: \`${that.replaceAll("`", "'")}\``);
    return prose("p", `✗ not met: ${why || that}`, "no");
  };
  const named = (box, title, ...content) => box.append(make("p", title, "h"), ...content);
  const inside = (id) => {
    const row = rowOf(id), box = make("div", null, "more"), item = document.getElementById(id);
    if (!row) {
      box.append(make("p", "Nothing was called here."));
      return box;
    }
    if (row.e.length) box.append(spans(row));
    if (row.c) named(box, "What was sent", ...row.c.map((call) => block(sent(call, run(parts(id)[0]).texts))));
    else if (!one(":scope>ol", item) && item.matches(".failed,.error,.unknown"))
      named(box, "What was sent", make("p", "Nothing that starts or changes anything was sent."));
    if (row.k) named(box, "Expectations", ...row.k.map(expectation));
    if ("r" in row) named(box, "Result", block(row.r));
    if (row.o) named(box, "Outputs", block(row.o));
    if (row.p) box.append(make("p", `process: ${row.p}`));
    if (row.f) named(box, "In the job", ...row.f.map((text) => make("p", text)));
    for (const text of row.w || []) box.append(prose("p", `warning: ${text}`));
    box.append(buttons(id, row));
    return box;
  };
  const buttons = (id, row) => {
    const line = make("p", null, "buttons"), link = make("button", "Copy link");
    if (firstCall(row)) {
      const button = make("button", "Copy as curl");
      button.dataset.curl = id;
      line.append(button);
    }
    link.dataset.link = id;
    line.append(link);
    for (const button of line.children) button.type = "button";
    return line;
  };

  const toggle = (item, open = !one(":scope>.more", item)) => {
    const before = one(":scope>.more", item), link = one(":scope>a", item);
    if (open && !before) {
      const box = inside(item.id), list = one(":scope>ol", item);
      if (list) list.before(box);
      else item.append(box);
    } else if (!open && before) before.remove();
    link.setAttribute("aria-expanded", String(open));
  };
  const reveal = (id, { open = true } = {}) => {
    const item = document.getElementById(id);
    if (!item) return;
    for (let up = item.parentElement; up; up = up.parentElement) {
      if (up.tagName === "DETAILS") up.open = true;
      up.hidden = false;
    }
    item.hidden = false;
    if (item.tagName === "DETAILS") item.open = true;
    else if (item.classList.contains("r")) {
      if (open) toggle(item, true);
      one(":scope>a", item).focus({ preventScroll: true });
    }
    item.scrollIntoView({ block: "start" });
  };
  const decoded = (hash) => {
    try {
      return decodeURIComponent(hash.slice(1));
    } catch {
      return hash.slice(1);
    }
  };

  const press = (button) => {
    const { open, curl: called, link } = button.dataset;
    if ("command" in button.dataset) return copy(button.previousElementSibling.textContent, button);
    if (open) {
      history.pushState(null, "", `#${encodeURI(open)}`);
      reveal(open);
    } else if (called) {
      const row = rowOf(called), span = firstCall(row);
      if (span) copy(curl(run(parts(called)[0]), row.c[span[3]]), button);
    } else if (link) copy(`${location.href.split("#")[0]}#${encodeURI(link)}`, button);
    else if ("text" in button.dataset) {
      const card = button.closest("article"), commands = all("[data-command]", card);
      const lines = all("h3,p:not(.buttons),dl,pre", card).filter((e) => !e.closest("dl dl, dl pre"));
      for (const each of commands) each.hidden = true;
      const text = lines.map((element) => element.innerText).join("\n");
      for (const each of commands) each.hidden = false;
      copy(text, button);
    }
    return undefined;
  };
  document.addEventListener("click", (event) => {
    const { target } = event, button = target.closest("button"), head = target.closest(".r>a");
    if (button) return press(button);
    if (head) {
      event.preventDefault();
      toggle(head.parentElement);
      history.replaceState(null, "", head.getAttribute("href"));
      return undefined;
    }
    const link = target.closest("a[href^='#']"), row = target.closest(".r");
    if (link && !link.classList.contains("skip")) {
      event.preventDefault();
      history.pushState(null, "", link.getAttribute("href"));
      reveal(decoded(link.hash));
    } else if (row && !target.closest(".more,a") && !String(getSelection())) toggle(row);
    return undefined;
  });

  // keys, only while a row has the focus
  document.addEventListener("keydown", (event) => {
    const item = event.target.closest?.(".r"), { key } = event;
    if (!item || event.target !== one(":scope>a", item) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!["ArrowDown", "ArrowUp", "n", "p"].includes(key)) return;
    event.preventDefault();
    const isRed = key === "n" || key === "p", isDown = key === "ArrowDown" || key === "n";
    const rows = all(isRed ? ".r.failed,.r.error,.r.unknown" : ".r").filter((row) => isRed || row.checkVisibility());
    let at = rows.indexOf(item);
    if (at < 0) {
      at = rows.findIndex((row) => item.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING);
      at = isDown ? (at < 0 ? rows.length : at) - 1 : at < 0 ? rows.length : at;
    }
    const next = rows[at + (isDown ? 1 : -1)];
    if (!next) return;
    if (isRed) reveal(next.id, { open: false });
    else {
      one(":scope>a", next).focus();
      next.scrollIntoView({ block: "nearest" });
    }
  });

  // filter
  const form = one("#filter"), rows = all(".r");
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, `${row.textContent} ${one("h3", row.closest(".run")).textContent}`.toLowerCase());
    return texts.get(row);
  };
  const filter = () => {
    const q = form.q.value.trim().toLowerCase(), isFlaky = Boolean(form.only?.checked);
    const on = new Set(all("[name=s]:checked", form).map((box) => box.value));
    const isPlain = !q && !isFlaky && all("[name=s]", form).every((box) => box.checked);
    const isHit = (row) =>
      isPlain || (on.has(row.classList[1]) && (!isFlaky || row.classList.contains("flaky")) && (!q || textOf(row).includes(q)));
    let shown = 0;
    for (const row of rows) {
      const hit = isHit(row);
      row.hidden = !hit;
      shown += hit;
    }
    if (!isPlain) {
      for (const row of rows.filter((each) => !each.hidden)) {
        for (let up = row.parentElement.closest(".r"); up?.hidden; up = up.parentElement.closest(".r")) up.hidden = false;
      }
    }
    for (const list of all("ol.rows")) list.hidden = !one(":scope>.r:not([hidden]),:scope>.loop", list);
    for (const loop of all(".loop")) {
      const found = all(".r:not([hidden])", loop).length;
      loop.hidden = !found;
      if (!isPlain && found && found <= 200) one("details", loop).open = true;
    }
    for (const each of all(".run")) {
      const some = one(".r:not([hidden])", each);
      each.hidden = !some && !isPlain;
      if (!isPlain && some) each.open = true;
    }
    one("output", form).textContent = isPlain ? "" : `${shown} of ${rows.length} steps`;
  };
  let timer;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 120);
  });
  one("#all").addEventListener("click", (event) => {
    const open = event.target.textContent === "Open all";
    for (const each of all(".run")) each.open = open;
    event.target.textContent = open ? "Close all" : "Open all";
  });

  // theme
  const theme = one("#theme"), root = document.documentElement;
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  label();
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });

  for (const command of all("code.cmd")) {
    const button = make("button", "Copy");
    button.type = "button";
    button.title = "Copy the command";
    button.dataset.command = "";
    command.after(button);
  }
  for (const element of all(".buttons,.keys")) element.hidden = false;
  for (const link of all(".r>a")) link.setAttribute("aria-expanded", "false");
  addEventListener("beforeprint", () => {
    for (const each of all(".run,.facts,#words")) each.open = true;
  });
  const follow = () => location.hash.length > 1 && reveal(decoded(location.hash));
  addEventListener("hashchange", follow);
  follow();
})();
