// The page of one person. What comes from the server is HTML it rendered; what people typed here is set as text only.
"use strict";
const body = document.body;
const { base, account } = body.dataset;
const words = JSON.parse(body.dataset.words);
const find = (css, root = document) => root.querySelector(css);
const all = (css, root = document) => [...root.querySelectorAll(css)];
const form = find("#say-form"), box = find("#say"), toasts = find("#toasts");
const panes = Object.fromEntries(all(".pane").map((pane) => [pane.dataset.where, pane]));
const wide = matchMedia("(min-width: 720px)");
const nonce = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
let here = null, replying = null, after = body.dataset.after;

// --- storage of this browser: what was read, and what was typed in private (which the server does not keep) ---------
const keep = (store, key, value) => { try { store.setItem(`${key}:${account}`, JSON.stringify(value)); } catch { /* private mode */ } };
const kept = (store, key, none) => { try { return JSON.parse(store.getItem(`${key}:${account}`)) ?? none; } catch { return none; } };
const read = kept(localStorage, "read", {});
const own = kept(sessionStorage, "own", []);

// --- toasts -----------------------------------------------------------------------------------------------------------
function toast(text, { alert = false, go = null } = {}) {
  const note = document.createElement(go ? "a" : "p");
  note.className = alert ? "toast alert" : "toast";
  note.textContent = text;
  if (alert) note.setAttribute("role", "alert");
  if (go) note.href = `#${go}`;
  note.addEventListener("click", () => note.remove());
  if (!go) all("p.toast:not(.alert)", toasts).forEach((old) => old.remove()); // a second thought takes the place of the first
  toasts.append(note);
  while (toasts.children.length > 3) toasts.firstChild.remove();
  setTimeout(() => note.remove(), alert ? 9000 : 5000);
}

// --- asking the server ------------------------------------------------------------------------------------------------
async function post(path, content, headers = { "content-type": "application/json" }) {
  try {
    const response = await fetch(base + path, { method: "POST", headers, body: content });
    if (response.status === 401) location.reload();
    const answer = await response.json();
    if (response.ok) return answer;
    return { error: answer.error, again: response.status >= 500 };
  } catch {
    return { error: words.offline, again: true };
  }
}
function told(answer) {
  if (answer.error) toast(answer.error, { alert: true });
  else if (answer.toast) toast(answer.toast, { alert: answer.alert || !answer.ok });
  return !answer.error && answer.ok ? answer : null;
}

// --- one conversation -------------------------------------------------------------------------------------------------
const log = (where) => find(".log", panes[where]);
const nearEnd = (where) => { const s = find(".scroll", panes[where]); return s.scrollHeight - s.scrollTop - s.clientHeight < 120; };
function toEnd(where) { const s = find(".scroll", panes[where]); s.scrollTop = s.scrollHeight; find(".fresh", panes[where]).hidden = true; }

/** Makes `old` look like `fresh` and touches only what differs: a counter changes, the focus stays, nothing is read out anew. */
function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName || old.childNodes.length !== fresh.childNodes.length) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "disabled") old.removeAttribute(name);
  const next = [...fresh.childNodes];
  [...old.childNodes].forEach((child, i) => morph(child, next[i]));
}
function arrive(where, html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  const item = made.content.firstElementChild, known = find(`#${item.id}`), end = nearEnd(where);
  if (item.dataset.account === account) item.classList.replace("other", "mine");
  if (known) { morph(known, item); if (end) toEnd(where); return; }
  log(where).append(item);
  tidy(where);
  const seen = where === here && !document.hidden, mine = item.dataset.account === account;
  if (where === here && (end || mine)) toEnd(where); else if (where === here) find(".fresh", panes[where]).hidden = false;
  if (!seen && where === "me" && !mine) toast(words.private.replace("{gist}", item.dataset.gist), { go: "me" });
  list(where, item);
  count();
}
function list(where, item) {
  const entry = find(`.talk[data-where=${where}]`), who = find(".who b", item).textContent;
  find(".last bdi", entry).textContent = where === "all" ? `${who}：${item.dataset.gist}` : item.dataset.gist;
  find("time", entry).textContent = item.dataset.clock;
}
/** The day stands once above what was said on it; what was typed here stands where it was said. */
function tidy(where) {
  all(".day", log(where)).forEach((day) => day.remove());
  let day = null;
  for (const item of all(".message", log(where))) {
    if (item.dataset.day && item.dataset.day !== day) {
      day = item.dataset.day;
      const line = document.createElement("li");
      line.className = "day";
      line.textContent = day;
      item.before(line);
    }
  }
}
function count() {
  let sum = 0;
  for (const where of Object.keys(panes)) {
    const items = all(".message[data-seq]", log(where)).filter((item) => item.dataset.account !== account);
    const last = Number(items.at(-1)?.dataset.seq ?? 0);
    if (where === here && !document.hidden && last > (read[where] ?? 0)) { read[where] = last; keep(localStorage, "read", read); }
    const unread = items.filter((item) => Number(item.dataset.seq) > (read[where] ?? 0)).length;
    const badge = find(`.talk[data-where=${where}] .badge`);
    badge.hidden = !unread;
    find("b", badge).textContent = unread > 99 ? "99+" : unread;
    for (const other of Object.values(panes)) if (other !== panes[where]) {
      const mark = find(".elsewhere", other);
      mark.hidden = !unread;
      mark.textContent = unread ? words.unread.replace("{n}", unread > 99 ? "99+" : unread) : "";
    }
    sum += unread;
  }
  document.title = (sum ? `(${sum}) ` : "") + document.title.replace(/^\(\d+\) /, "");
}
function bubble(mine, pending) {
  const item = find("#own").content.cloneNode(true).firstElementChild, items = all(".message", log("me"));
  find(".bubble bdi", item).textContent = mine.text;
  find("time", item).textContent = mine.at;
  item.dataset.after = mine.after;
  item.classList.toggle("pending", pending);
  const next = items.find((other) => Number(other.dataset.seq ?? other.dataset.after) > mine.after);
  if (next) next.before(item); else log("me").append(item);
  return item;
}
const lastSeq = (where) => Number(all(".message[data-seq]", log(where)).at(-1)?.dataset.seq ?? 0);

// --- which conversation is open ---------------------------------------------------------------------------------------
function show() {
  const asked = location.hash.slice(1);
  if (asked && !(asked in panes)) return;
  here = asked || (wide.matches ? Object.keys(panes)[0] : null);
  body.dataset.view = here ? "talk" : "list";
  for (const [where, pane] of Object.entries(panes)) {
    pane.hidden = where !== here;
    const entry = find(`.talk[data-where=${where}]`);
    if (where === here) entry.setAttribute("aria-current", "true"); else entry.removeAttribute("aria-current");
  }
  form.hidden = !here;
  reply(null);
  all(".hints button").forEach((hint) => { hint.hidden = hint.dataset.where !== here; });
  all(".toast:not(.alert)", toasts).forEach((note) => { if (!note.hash || note.hash === location.hash) note.remove(); });
  if (here) toEnd(here);
  if (here && wide.matches) box.focus({ preventScroll: true });
  if (here === "me" && !find(".message", log("me"))) post("open", "{}");
  count();
}
function reply(item) {
  replying = item;
  const bar = find(".replying");
  bar.hidden = !item;
  find("span", bar).textContent = item ? `${words.reply} ${find(".who b", item).textContent}：${item.dataset.gist}` : "";
  if (item) box.focus();
}

// --- saying, tapping, sending a file ----------------------------------------------------------------------------------
const undone = new Map(); // deeds the server has not answered: done again they keep their number, and count once
const number = (deed) => { if (!undone.has(deed)) undone.set(deed, nonce()); return undone.get(deed); };
async function attempt(deed, send) {
  const answer = await send(number(deed));
  if (!answer.again) undone.delete(deed);
  return told(answer);
}
async function say(text) {
  const where = here, quotes = replying?.dataset.seq ?? null;
  const mine = { text, after: lastSeq("me"), at: "" };
  const item = where === "me" ? bubble(mine, true) : null;
  if (item) toEnd("me");
  box.value = "";
  resize();
  const done = await attempt(`say ${where} ${quotes} ${text}`, (id) => post("say", JSON.stringify({ id, place: where, text, quotes })));
  if (!done) {
    item?.remove();
    if (!box.value) { box.value = text; resize(); }
    return;
  }
  reply(null);
  if (item) remember(item, mine, done.clock);
}
function remember(item, mine, clock) {
  find("time", item).textContent = mine.at = clock;
  item.classList.remove("pending");
  own.push(mine);
  keep(sessionStorage, "own", own.slice(-200));
}
async function tap(button) {
  const item = button.closest(".message"), buttons = all(".buttons button", item), { token } = button.dataset;
  if (button.getAttribute("aria-disabled")) return;
  const place = button.closest(".pane").dataset.where, message = item.dataset.seq;
  buttons.forEach((other) => other.setAttribute("aria-disabled", "true"));
  await attempt(`tap ${message} ${token}`, (id) => post("tap", JSON.stringify({ id, place, token, message })));
  all(".buttons button", item).forEach((other) => other.removeAttribute("aria-disabled"));
}
async function upload(file) {
  const where = here, text = `${words.file} ${file.name}`;
  if (file.size > Number(body.dataset.most)) return toast(words.big, { alert: true });
  const mine = { text, after: lastSeq("me"), at: "" };
  const item = where === "me" ? bubble(mine, true) : null;
  const headers = { "content-type": "application/octet-stream", "x-file-name": encodeURIComponent(file.name) };
  const done = await attempt(`file ${where} ${file.name} ${file.size} ${file.lastModified}`, (id) => post(`upload?id=${id}&place=${where}`, file, headers));
  if (item && done) remember(item, mine, done.clock); else item?.remove();
}
async function older(button) {
  const pane = button.closest(".pane"), first = find(".message[data-seq]", pane), scroll = find(".scroll", pane);
  const response = await fetch(`${base}older?place=${pane.dataset.where}&before=${first.dataset.seq}`);
  if (!response.ok) return toast(words.offline, { alert: true });
  const { html, more } = await response.json(), height = scroll.scrollHeight;
  find(".log", pane).insertAdjacentHTML("afterbegin", html);
  tidy(pane.dataset.where);
  scroll.scrollTop += scroll.scrollHeight - height;
  button.hidden = !more;
}
const resize = () => { box.rows = Math.min(6, box.value.split("\n").length); };

// --- hearing ----------------------------------------------------------------------------------------------------------
let source = null, slow = null;
const state = (text) => all(".state").forEach((line) => { line.textContent = text; });
function listen() {
  source?.close();
  source = new EventSource(`${base}stream?after=${after}`);
  source.onopen = () => { clearTimeout(slow); slow = null; state(""); };
  source.onmessage = (event) => { after = event.lastEventId; const { where, html } = JSON.parse(event.data); arrive(where, html); };
  source.addEventListener("gone", () => location.reload());
  source.onerror = () => {
    slow ??= setTimeout(() => state(words.lost), 1500);
    if (source.readyState === EventSource.CLOSED) setTimeout(lookAgain, 3000);
  };
}
async function lookAgain() {
  try { if ((await fetch(location.pathname, { method: "HEAD" })).status === 401) return location.reload(); } catch { /* still away */ }
  listen();
}

// --- wiring -----------------------------------------------------------------------------------------------------------
form.addEventListener("submit", (event) => { event.preventDefault(); if (box.value.trim()) say(box.value.trim()); });
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return; // 229: an input method is at work
  event.preventDefault();
  form.requestSubmit();
});
box.addEventListener("input", resize);
form.addEventListener("keydown", (event) => { if (event.key === "Escape") reply(null); });
find(".replying button").addEventListener("click", () => reply(null));
find(".attach input").addEventListener("change", (event) => { if (event.target.files[0]) upload(event.target.files[0]); event.target.value = ""; });
find("main").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.token) tap(button);
  else if (button.dataset.hint) { box.value = button.dataset.hint; box.focus(); resize(); }
  else if (button.matches(".reply")) reply(button.closest(".message"));
  else if (button.matches(".older")) older(button);
  else if (button.matches(".fresh")) toEnd(here);
});
addEventListener("hashchange", show);
wide.addEventListener("change", show);
document.addEventListener("visibilitychange", () => {
  count();
  if (!("demo" in body.dataset)) return; // a browser opens six lines to one host, and the demo is many people in many tabs
  if (document.hidden) { source.close(); source = null; } else if (!source) listen();
});
find("#leave")?.addEventListener("click", async () => { await post("logout", "{}"); sessionStorage.clear(); location.reload(); });
const who = find("#who");
if (who) {
  const search = find("input", who);
  find("#switch").addEventListener("click", () => { who.showModal(); search.focus(); });
  find(".close", who).addEventListener("click", () => who.close());
  who.addEventListener("click", (event) => { if (event.target === who) who.close(); });
  search.addEventListener("input", () => {
    const wanted = search.value.trim();
    all("li", who).forEach((item) => { item.hidden = !item.dataset.find.includes(wanted); });
    find(".none", who).hidden = all("li:not([hidden])", who).length > 0;
  });
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") find("li:not([hidden]) a", who)?.click(); });
}
own.forEach((mine) => bubble(mine, false));
Object.keys(panes).forEach(tidy);
show();
listen();
