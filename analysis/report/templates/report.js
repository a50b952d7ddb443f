"use strict";
// The slider selects the best checkpoint within a privacy limit; a click or an arrow key shows the details of a design.
// Values from the study are only ever inserted as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const spec = JSON.parse(document.getElementById("spec").textContent);
  const designs = new Map(data.designs.map((design) => [design.id, design]));
  const slider = document.getElementById("limit");
  const panel = document.getElementById("design");
  const buttons = [...document.querySelectorAll("button[data-design]")];
  const narrow = matchMedia("(max-width: 62rem)");
  const REACH_PIXELS = 16;
  let view = null;
  let chosen = null;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  /** The design that analysis.fronts.selection.select returns for a limit: data.order begins with the preferred one. */
  const bestWithin = (limit) => data.order.find((id) => designs.get(id).x <= limit);
  const auc = (value) => (value === null ? "-" : value.toFixed(3));

  function table(head, rows) {
    const number = (tag, text) => {
      const [value, ...interval] = tag === "td" ? text.split(" ") : [text];
      return make(tag, { class: "number" }, value, interval.length ? make("small", {}, interval.join(" ")) : null);
    };
    const line = (texts, tag, scope) =>
      make("tr", {}, ...texts.map((text, place) => (place ? number(tag, text) : make("th", { scope }, text))));
    const body = rows.map((row) => line(row, "td", "row"));
    const content = [make("thead", {}, line(head, "th", "col")), make("tbody", {}, ...body)];
    return make("div", { class: "scroll" }, make("table", {}, ...content));
  }

  const judged = (rows, names) => rows.map(([name, validation, test]) => [names[name], auc(validation), auc(test)]);
  const part = (title, ...content) => make("section", {}, make("h3", {}, title), ...content);

  function parameters(design) {
    if (!design.parameters.length) return null;
    const pairs = design.parameters.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    return part("Hyperparameters", make("dl", { class: "parameters" }, ...pairs));
  }

  function command(design) {
    if (!design.fetch) return part("Checkpoint", make("p", { class: "hint" }, "This design kept no checkpoint."));
    const code = make("code", {}, design.fetch);
    const copy = make("button", { type: "button", id: "copy" }, "Copy");
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(design.fetch);
        copy.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code); // the browser refuses the clipboard: the user presses Ctrl+C
        copy.textContent = "Selected";
      }
    });
    return part("Fetch its checkpoint", make("div", { class: "command" }, code, copy));
  }

  function reconstructions(design) {
    if (!design.image) return null;
    const about = "Top: faces. Bottom: what the decoder makes of their released representations";
    return part("Reconstructions", make("img", { src: design.image, alt: about, class: "faces" }), make("p", { class: "hint" }, `${about}.`));
  }

  function show(id) {
    const design = designs.get(id);
    if (!design) return;
    chosen = id;
    const seeds = design.seeds > 1 ? `, mean over ${design.seeds} seeds` : "";
    panel.replaceChildren(
      make("p", { class: "kicker" }, design.kind + seeds),
      make("h2", { id: "design-title" }, design.id),
      ...[
        table(["AUC", "validation", "test"], design.figures),
        reconstructions(design),
        command(design),
        parameters(design),
        design.attacks.length ? part("Attacks", table(["fresh attacker", "validation", "test"], judged(design.attacks, data.attackers))) : null,
        design.matches.length ? part("Matching", table(["fresh matcher", "validation", "test"], judged(design.matches, data.matchers))) : null,
      ].filter((child) => child !== null),
    );
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.design === id));
    saveState();
    view?.signal("chosen", id).runAsync();
  }

  function limitTo(limit) {
    const id = bestWithin(limit);
    const limitText = `attacker AUC of at most ${limit.toFixed(3)}`;
    slider.value = limit;
    slider.setAttribute("aria-valuetext", limitText);
    document.getElementById("limit-value").textContent = limit.toFixed(3);
    const design = designs.get(id);
    announce(design
      ? `Within the limit ${id} is best: matching AUC ${design.matching}, attacker AUC ${design.attacker}.`
      : noneWithin(limitText));
    view?.signal("limit", limit).runAsync();
    return id;
  }

  function noneWithin(limitText) {
    if (!data.order.length) return "No judged design kept a checkpoint.";
    const nearest = data.order.map((id) => designs.get(id)).reduce((best, one) => (one.x < best.x ? one : best));
    return `No checkpoint has an ${limitText}: the nearest is ${nearest.id} with ${nearest.attacker}.`;
  }

  /** Screen readers read this line aloud when it changes. */
  function announce(text) {
    document.getElementById("selection").textContent = text;
  }

  function pick(id) {
    const design = designs.get(id);
    show(id);
    announce(`${id} is shown: attacker AUC ${design.attacker}, matching AUC ${design.matching}, ${design.kind}.`);
  }

  function saveState() {
    const state = new URLSearchParams({ limit: slider.value, ...(chosen ? { design: chosen } : {}) });
    history.replaceState(null, "", `#${state}`);
  }

  function moveFocus(event) {
    const offset = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const rows = [...event.currentTarget.querySelectorAll("button[data-design]")];
    const next = rows[rows.indexOf(document.activeElement) + offset];
    if (!offset || !next) return;
    event.preventDefault();
    next.focus();
    pick(next.dataset.design);
  }

  slider.addEventListener("input", () => {
    const id = limitTo(Number(slider.value));
    if (id) show(id);
    else saveState();
  });
  for (const button of buttons) {
    button.addEventListener("click", (event) => {
      pick(button.dataset.design);
      const byPointer = event.detail > 0;
      if (byPointer && narrow.matches) panel.scrollIntoView({ block: "start" });
    });
  }
  for (const body of document.querySelectorAll("tbody")) body.addEventListener("keydown", moveFocus);

  /** The id of the design nearest to a click or touch, null if none is within REACH_PIXELS. */
  function nearest(event) {
    const box = document.querySelector("#chart svg").getBoundingClientRect();
    const [left, top] = view.origin();
    const [across, up] = [view.scale("x"), view.scale("y")];
    const pixels = (one) =>
      Math.hypot(box.left + left + across(one.x) - event.clientX, box.top + top + up(one.y) - event.clientY);
    const best = data.designs.reduce((nearest, one) => (pixels(one) < pixels(nearest) ? one : nearest));
    return pixels(best) <= REACH_PIXELS ? best.id : null;
  }

  async function draw() {
    const { staircase, x_bars, y_bars } = data;
    const fields = ["id", "kind", "x", "y", "attacker", "matching", "design"];
    const points = data.designs.map((design) => Object.fromEntries(fields.map((name) => [name, design[name]])));
    const datasets = { ...spec.datasets, designs: points, staircase, x_bars, y_bars };
    const options = { renderer: "svg", actions: false, defaultStyle: false, tooltip: { theme: "page" } };
    const result = await vegaEmbed("#chart", { ...spec, datasets }, options);
    result.view.addEventListener("click", (event, item) => {
      const id = item?.datum?.id ?? nearest(event);
      if (id) pick(id);
    });
    await result.view.signal("limit", Number(slider.value)).signal("chosen", chosen ?? "").runAsync();
    view = result.view;
  }

  const state = new URLSearchParams(location.hash.slice(1));
  const first = limitTo(Number(state.get("limit")) || data.limit.start);
  show(designs.has(state.get("design")) ? state.get("design") : first ?? data.designs.at(-1).id);
  draw().then(() => document.documentElement.setAttribute("data-drawn", ""));
})();
