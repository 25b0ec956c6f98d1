"use strict";
// The live preview of a message. Without this script a button updates it, and what is not needed is shown all the same.
{
  const form = document.getElementById("write-form");
  const pane = document.getElementById("write-preview");
  const text = form.elements.text;
  form.classList.add("is-live");

  const show = () => {
    const channel = text.value.slice(text.value.lastIndexOf(":") + 1);
    form.querySelector(".own-words").toggleAttribute("data-unused", !text.value.startsWith("free:"));
    form.querySelector(".only-mail").toggleAttribute("data-unused", channel !== "email");
  };

  let latest = 0;
  const update = async () => {
    const mine = ++latest;
    pane.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(location.href, {
        method: "POST", body: new FormData(form), headers: { [form.dataset.previewHeader]: "yes" }, redirect: "manual",
      });
      if (mine !== latest) return;
      if (answer.ok) pane.innerHTML = await answer.text();
    } catch {
      // The preview stays as it was; sending checks everything again.
    }
    if (mine === latest) pane.removeAttribute("aria-busy");
  };

  let waiting;
  form.addEventListener("input", () => {
    show();
    clearTimeout(waiting);
    waiting = setTimeout(update, 350);
  });

  show();
  // What was entered before this script came is in no preview yet.
  const isChanged = (field) => field.options
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  if ([...form.elements].some((field) => field.name && isChanged(field))) update();
  const refused = document.querySelector(".refused");
  const start = refused || (text.value.startsWith("free:") ? form.elements.body : text);
  start.focus();
}
