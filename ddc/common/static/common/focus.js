"use strict";
// The theme hides the page until its scripts have run, so the browser's own autofocus finds nothing to focus.
// A chooser that searches gets the name of its label, which its library leaves out.
window.addEventListener("load", () => {
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = select.labels[0];
    const chooser = select.nextElementSibling?.querySelector("[role=combobox]");
    if (!label || !chooser) continue;
    label.id ||= `label-of-${select.id}`;
    chooser.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
    chooser.setAttribute("aria-labelledby", `${label.id} ${chooser.getAttribute("aria-labelledby") || ""}`.trim());
  }
});
