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

  // A part was replaced: keep the hands where they were.
  let held = null;
  document.addEventListener("htmx:beforeSwap", () => {
    const at = document.activeElement;
    held = at && at.closest(".player") ? at.textContent.trim() : null;
  });
  document.addEventListener("htmx:afterSettle", event => {
    if (event.target.closest("[data-quiet]")) return; // what looks again by itself leaves the focus where it is
    label();
    if (timer !== null && !next()) pause();
    const wrong = document.querySelector("[aria-invalid]");
    if (wrong) { wrong.focus(); return; }
    if (held !== null) {
      const same = [...document.querySelectorAll(".player a, .player button")].find(one => one.textContent.trim() === held);
      if (same) same.focus({ preventScroll: true });
      else document.getElementById("content").focus({ preventScroll: true });
      return;
    }
    const first = document.querySelector("form.decide [data-focus]");
    if (first && !coarse.matches) first.focus({ preventScroll: true });
    else if (first) window.scrollTo({ top: 0 });
    else if (!document.querySelector(".player")) document.getElementById("content").focus();
  });

  document.addEventListener("DOMContentLoaded", label);
  label();
  const first = document.querySelector("form.decide [data-focus]");
  if (first && !coarse.matches && document.activeElement === document.body) first.focus({ preventScroll: true });
})();
