"use strict";
// Keys of the page of a person or a debt. Without this script the actions are ordinary links and forms.
{
  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

  const act = (button) => {
    const form = document.getElementById(button.dataset.opens || "");
    if (!form) {
      button.click();
      return;
    }
    if (form.tagName === "DETAILS") form.open = true;
    form.querySelector("textarea, input:not([type=hidden]), select").focus();
    form.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.target.form.requestSubmit(event.target.form.querySelector("[data-send]"));
      return;
    }
    if (event.key === "Escape" && event.target.closest(".case form")) {
      event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    const button = document.querySelector(`.case [data-key="${CSS.escape(event.key.toUpperCase())}"]`);
    if (button) {
      event.preventDefault();
      act(button);
    }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("a[data-opens]");
    if (button && document.getElementById(button.dataset.opens)) {
      event.preventDefault();
      act(button);
    }
    for (const menu of document.querySelectorAll("details.more[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // Notes and follow-ups that are not saved are not lost by leaving the page; the form of the row has its own warning.
  const drafts = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.closest(".case form");
    if (form) drafts.add(form);
  });
  document.addEventListener("submit", (event) => drafts.delete(event.target));
  window.addEventListener("beforeunload", (event) => {
    if (drafts.size) event.preventDefault();
  });
}
