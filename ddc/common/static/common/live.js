"use strict";
// Shows the progress of a task in words, without loading the page each time: its page loads once more when the task has ended.
const PAUSE_MS = 3000;

const follow = (part) => {
  part.nextElementSibling.hidden = true;
  const read = async () => {
    const answer = await fetch(part.dataset.live).catch(() => null);
    if (answer?.status === 204 || answer?.redirected) return location.reload(); // The task has ended, or the session.
    const text = answer?.ok ? await answer.text() : part.textContent;
    if (text !== part.textContent) part.textContent = text; // A screen reader reads each change.
    setTimeout(read, PAUSE_MS);
  };
  setTimeout(read, PAUSE_MS);
};

addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-live]").forEach(follow));
