// Buttons that copy a value. They are hidden without a script, and each value can be marked as a whole instead.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const status = button.closest("section").querySelector("[data-copied]");
    status.textContent = status.dataset.copied;
  });
}
