// Works beside the form, which needs none of it. Nothing that was typed leaves the page before Send.
(() => {
  "use strict";
  const form = document.getElementById("answer");
  if (!form) return;
  const status = document.getElementById("status"), told = form.dataset, begun = performance.now();
  let saved = "", firm = false, sending = Promise.resolve(), looks = 0, later = 0, gone = false, keyed = false, last = 0;
  const cell = () => form.querySelector(".score:checked"), chosen = () => (cell() || {}).value;
  // By the server's clock, and each later than the one before: requests overtake each other.
  const at = () => last = Math.max(last + 1, Math.floor(told.at - begun + performance.now()));

  const tell = (sign, score) => {
    const body = new URLSearchParams({ sign, lang: told.lang, at: at() });
    if (score !== undefined) body.set("score", score);
    // One after the other: what was chosen last has to arrive last.
    sending = sending.then(() => fetch(told.signs, { method: "POST", body, keepalive: true, credentials: "omit" }))
      .then((reply) => {
        if (reply.status === 200 && score !== undefined && score === chosen()) {
          status.textContent = told.saved.replace("{score}", () => cell().dataset.label || score);
        } else if (reply.status >= 500) throw 0;
      })
      .catch(() => { if (score !== undefined) { saved = ""; status.textContent = told.failed; } });
  };
  const save = (sign) => {
    const score = chosen();
    if (gone || !("auto" in told) || score === undefined || (score === saved && firm)) return;
    saved = score;
    firm = sign !== "dwell";
    tell(sign, score);
  };

  const moved = (event) => {
    if (!event.isTrusted) return;
    for (const kind of KINDS) removeEventListener(kind, moved, true);
    form.elements.sign.value = "gesture";
    // A moment's grace: the first touch may be the choice of another score.
    if (!("open" in told) || told.intent === undefined) return;
    setTimeout(() => { if (chosen() === told.intent) save("gesture"); }, 250);
  };
  const KINDS = ["pointermove", "pointerdown", "touchstart", "wheel", "keydown", "click"];
  for (const kind of KINDS) addEventListener(kind, moved, { capture: true, passive: true });
  addEventListener("keydown", () => { keyed = true; }, true);
  addEventListener("pointerdown", () => { keyed = false; }, true);

  form.addEventListener("change", (event) => {
    // A program's click() makes a trusted change, but no trusted click before it.
    if (!form.elements.sign.value || !event.target.matches(".score")) return;
    clearTimeout(later);
    if (keyed) later = setTimeout(save, 700, "change"); // arrow keys choose on the way
    else save("change");
  });
  form.addEventListener("submit", () => { gone = true; clearTimeout(later); form.elements.at.value = at(); });
  addEventListener("pagehide", () => { if (later && !gone) save("change"); });

  if (navigator.webdriver) return;
  let seen = false;
  const clock = setInterval(() => {
    if (document.visibilityState !== "visible") return;
    if (!seen) { seen = true; tell("seen"); }
    if (document.hasFocus() && ++looks >= 8) {
      clearInterval(clock);
      if ("open" in told && !saved && chosen() === told.intent) save("dwell");
    }
  }, 500);
})();
