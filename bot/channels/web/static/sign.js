// Says the code to the bot in one's own private talk; the receipt comes there.
"use strict";
const button = document.getElementById("sign");
if (button) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    const said = document.getElementById("said");
    const id = `sign-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
    const body = JSON.stringify({ id, place: "me", text: button.dataset.words });
    try {
      const response = await fetch("/say", { method: "POST", headers: { "content-type": "application/json" }, body });
      said.textContent = response.ok ? button.dataset.sent : (await response.json()).error;
      button.disabled = response.ok;
    } catch {
      said.textContent = button.dataset.offline;
      button.disabled = false;
    }
  });
}
