// The link only shows a button; this press is what uses it up, so that a link preview cannot.
"use strict";
const enter = document.getElementById("enter");
if (enter) {
  enter.addEventListener("click", async () => {
    enter.disabled = true;
    const said = document.getElementById("said");
    try {
      const response = await fetch(location.pathname, { method: "POST" });
      const answer = await response.json();
      if (response.ok) return location.replace("/");
      said.textContent = answer.error;
    } catch {
      said.textContent = enter.dataset.offline;
      enter.disabled = false;
    }
  });
}
