"use strict";
// Reloads the page when its server has a newer version; report.js then restores limit and design from the address.
(() => {
  const INTERVAL_MILLISECONDS = 2000;
  const pageVersion = document.documentElement.dataset.version;
  const status = document.getElementById("live");

  function keepFocus() {
    const id = document.activeElement?.id;
    if (id) sessionStorage.setItem("focus", id);
  }

  async function checkVersion() {
    let state = "Live.";
    try {
      const response = await fetch("version", { cache: "no-store" });
      if (response.ok && (await response.text()) !== pageVersion) {
        keepFocus();
        location.reload();
        return;
      }
    } catch {
      state = "No longer live: the server has ended.";
    }
    if (status.textContent !== state) status.textContent = state;
    setTimeout(checkVersion, INTERVAL_MILLISECONDS);
  }

  const focused = sessionStorage.getItem("focus");
  sessionStorage.removeItem("focus");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  setTimeout(checkVersion, INTERVAL_MILLISECONDS);
})();
