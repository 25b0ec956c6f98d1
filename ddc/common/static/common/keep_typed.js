// Brings back what was typed into a form of the back office when the session had ended before it was sent.
//
// The tab keeps what a form sent until the next page has loaded. If that page asks to sign in, it is kept until the form's
// page opens again, and is filled in there. Passwords and files are never kept.
(() => {
  const KEPT = "typed";
  const SIGN_IN = "/admin/login/";
  const isSecret = (field) => ["password", "file"].includes(field.type) || field.name === "csrfmiddlewaretoken";

  const stateOf = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked;
    if (field.type === "select-multiple" || field.type === "select-one")
      return [...field.selectedOptions].map((option) => [option.value, option.text]);
    return field.value;
  };

  const setState = (field, state) => {
    if (typeof state === "boolean") field.checked = state;
    else if (Array.isArray(state)) {
      for (const option of field.options) option.selected = false;
      for (const [value, text] of state) {
        const known = [...field.options].find((option) => option.value === value);
        if (known) known.selected = true;
        else field.add(new Option(text, value, true, true)); // A chooser that looks its options up has only those chosen.
      }
    } else field.value = state;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const keyOf = (field) => (field.type === "radio" || field.type === "checkbox" ? `${field.name}=${field.value}` : field.name);

  const fieldsOf = (form) =>
    [...form.elements].filter((field) => field.name && field.type !== "submit" && field.type !== "button" && !isSecret(field));

  const fillIn = (fields) => {
    let filled = 0;
    let last = null;
    for (const form of document.querySelectorAll('form[method="post" i]'))
      for (const field of fieldsOf(form)) {
        const key = keyOf(field);
        if (field.type === "hidden" || !(key in fields)) continue;
        setState(field, fields[key]);
        filled += 1;
        last = form;
      }
    if (!filled) return;
    const note = document.createElement("p");
    note.className = "kept-typed";
    note.setAttribute("role", "status");
    note.textContent = "Your session had ended. What you typed is back in the form, and is not saved yet.";
    last.prepend(note);
    note.scrollIntoView({ block: "center" });
  };

  const openPage = () => {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    if (!kept) return;
    const here = location.pathname;
    if (here.startsWith(SIGN_IN)) {
      kept.signedOut = true;
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
      return;
    }
    if (kept.signedOut && here !== kept.path) return; // Such as the page that turns on a second factor.
    sessionStorage.removeItem(KEPT);
    if (kept.signedOut) fillIn(kept.fields);
  };

  document.addEventListener("submit", ({ target: form }) => {
    if (form.method !== "post" || location.pathname.startsWith(SIGN_IN) || form.querySelector("input[type=password]")) return;
    const fields = Object.fromEntries(fieldsOf(form).map((field) => [keyOf(field), stateOf(field)]));
    sessionStorage.setItem(KEPT, JSON.stringify({ path: location.pathname, fields }));
  });
  document.addEventListener("DOMContentLoaded", openPage);
})();
