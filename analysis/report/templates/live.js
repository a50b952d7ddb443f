"use strict";
// Loads the page anew once the server that it came from has a newer one; report.js finds limit and design in the address.
(() => {
  const EVERY_MILLISECONDS = 2000;
  const shown = document.documentElement.dataset.version;
  const note = document.getElementById("live");

  function keepFocus() {
    const id = document.activeElement?.id;
    if (id) sessionStorage.setItem("focus", id);
  }

  async function look() {
    let state = "Live.";
    try {
      const answer = await fetch("version", { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== shown) {
        keepFocus();
        location.reload();
        return;
      }
    } catch {
      state = "No longer live: the server has ended.";
    }
    if (note.textContent !== state) note.textContent = state;
    setTimeout(look, EVERY_MILLISECONDS);
  }

  const focused = sessionStorage.getItem("focus");
  sessionStorage.removeItem("focus");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  setTimeout(look, EVERY_MILLISECONDS);
})();
