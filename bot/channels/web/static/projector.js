// Asks every two seconds what the door shows; the school's clock decides, not this computer's.
"use strict";
const here = location.pathname.replace(/\/$/, "");
const said = document.getElementById("said");
const qr = document.getElementById("qr");
const code = document.getElementById("code");
let shown = null;

function show(facts) {
  document.getElementById("here").textContent = facts.here;
  document.getElementById("asked").textContent = facts.asked;
  said.textContent = facts.open ? "" : document.body.dataset.closed;
  if (facts.code === shown) return;
  shown = facts.code;
  code.textContent = facts.code;
  qr.hidden = !facts.code;
  if (facts.code) qr.src = `${here}/qr.svg?${facts.code}`;
}

async function ask() {
  try {
    const response = await fetch(`${here}/now`);
    if (response.ok) show(await response.json());
    else said.textContent = (await response.json()).error;
  } catch {
    said.textContent = document.body.dataset.lost;
  }
  setTimeout(ask, 2000);
}
ask();
