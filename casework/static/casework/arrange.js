"use strict";
// The schedule is drawn again while an arrangement is negotiated. Without this script a button does it.
{
  const form = document.getElementById("arrange-form");
  const pane = document.getElementById("arrange-preview");
  const { amount, number, kind, percent, discount } = form.elements;
  form.classList.add("is-live");

  let latest = 0;
  const update = async () => {
    const mine = ++latest;
    pane.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { [form.dataset.previewHeader]: "yes" }, redirect: "manual",
      });
      if (mine !== latest) return;
      if (answer.ok) pane.innerHTML = await answer.text();
    } catch {
      // The schedule stays as it was; the offer is computed again when it is made.
    }
    if (mine === latest) pane.removeAttribute("aria-busy");
  };

  // Of two fields that exclude each other, the last one counts.
  const others = new Map([[amount, number], [number, amount], [percent, discount], [discount, percent]]);
  let waiting;
  form.addEventListener("input", (event) => {
    const other = others.get(event.target);
    if (other && event.target.value) other.value = "";
    for (const field of form.querySelectorAll(".only-settlement")) {
      field.toggleAttribute("data-unused", kind.value !== "settlement");
    }
    clearTimeout(waiting);
    waiting = setTimeout(update, 250);
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.value === "show") {  // Enter in a field
      event.preventDefault();
      update();
      return;
    }
    // A second click must not make a second arrangement.
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });

  if (!pane.querySelector("table, .verdict")) update();
  (document.querySelector(".refused") || amount).focus();
}
