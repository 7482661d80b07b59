// What scripts add: the focus after a period, keys for turns, and play. Everything works without them.
"use strict";
(() => {
  const PACE = 1200; // milliseconds from turn to turn
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const coarse = window.matchMedia("(pointer: coarse)"); // a focus there brings up a keyboard over the page
  let timer = null;

  const next = () => document.querySelector('a[rel="next"]');

  function pause() {
    if (timer !== null) window.clearInterval(timer);
    timer = null;
    label();
  }

  function label() {
    const button = document.querySelector("[data-play]");
    if (!button) return;
    button.hidden = false;
    button.textContent = timer === null ? "Play" : "Pause";
    button.setAttribute("aria-pressed", timer === null ? "false" : "true");
    button.disabled = timer === null && !next();
  }

  function forward() {
    const link = next();
    if (!link || document.hidden) return link ? undefined : pause();
    link.click();
  }

  function play() {
    if (timer !== null) return pause();
    // Who asks for less motion gets time to look between two pictures.
    timer = window.setInterval(forward, still.matches ? 4 * PACE : PACE);
    label();
  }

  document.addEventListener("click", event => {
    if (event.target.closest("[data-play]")) play();
  });

  document.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.target.matches("form.decide select")) { // as in any other field
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, .scroll, pre")) return;
    const rel = { ArrowRight: "next", ArrowLeft: "prev" }[event.key];
    const link = rel && document.querySelector(`a[rel="${rel}"]`);
    if (link) { event.preventDefault(); pause(); link.click(); }
    if (event.key === "Escape") pause();
  });

  // The content is replaced: the focus, what was opened, and the place on the page stay as they were.
  let held = null, open = [];
  const key = one => one.dataset.key || one.id || (one.closest("details[id]") || {}).id || one.textContent.trim();
  // What looks again by itself leaves the focus where it is.
  const whole = event => (event.detail.target || {}).id === "content" && !event.target.closest("[data-quiet]");
  document.addEventListener("htmx:beforeRequest", event => {
    const at = document.activeElement;
    if (whole(event)) held = at && at.closest(".player, form.several, summary, button") ? key(at) : null;
  });
  document.addEventListener("htmx:beforeSwap", event => {
    if (whole(event)) open = [...document.querySelectorAll("details[id][open]")].map(one => one.id);
  });
  document.addEventListener("htmx:afterSwap", event => {
    if (whole(event)) open.map(id => document.getElementById(id)).forEach(one => { if (one) one.open = true; });
  });
  document.addEventListener("htmx:afterSettle", event => {
    if (!whole(event)) return;
    label();
    if (timer !== null && !next()) pause();
    const wrong = document.querySelector("[aria-invalid]");
    if (wrong) { wrong.focus(); return; }
    const content = document.getElementById("content"), player = document.querySelector(".player");
    if (held !== null) {
      const same = [...content.querySelectorAll("a, button, input, select, summary")].find(one => key(one) === held);
      (same || content).focus({ preventScroll: Boolean(same || player) });
      return;
    }
    const first = document.querySelector("form.decide [data-focus]");
    if (first && !coarse.matches) first.focus({ preventScroll: true });
    else if (!first && !player) content.focus();
  });

  document.addEventListener("DOMContentLoaded", label);
  label();
  const first = document.querySelector("form.decide [data-focus]");
  if (first && !coarse.matches && document.activeElement === document.body) first.focus({ preventScroll: true });
})();
