"use strict";
// Keys of the bar of those who work through a worklist, and of the home page's Start buttons. Without this script they are links.
document.addEventListener("keydown", (event) => {
  const start = event.altKey && /^[1-9]$/.test(event.key) && document.querySelector(`[data-start="${event.key}"]`);
  if (start) {
    event.preventDefault();
    start.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const link = document.querySelector(`[data-work-key="${CSS.escape(event.key.toUpperCase())}"]`);
  if (link) link.click();
});
