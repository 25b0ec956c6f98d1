"use strict";
// Keys of the bar of those who work through a worklist. Without this script they are links.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const link = document.querySelector(`[data-work-key="${CSS.escape(event.key.toUpperCase())}"]`);
  if (link) link.click();
});
