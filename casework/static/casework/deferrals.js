"use strict";
// Keys and previews of the pages of deferral requests. Without this script buttons, links and the form work as they are.
{
  const isTyping = (element) => element.closest("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])") !== null;
  const plain = (event) => !(event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented);

  // --- Undo, while it lasts

  const undo = document.querySelector("form.undo");
  if (undo) {
    const end = Date.now() + Number(undo.dataset.seconds) * 1000;
    const timer = setInterval(() => {
      const left = Math.ceil((end - Date.now()) / 1000);
      undo.querySelector("[data-left]").textContent = `${Math.max(left, 0)} s`;
      if (left <= 0) {
        clearInterval(timer);
        undo.remove();
      }
    }, 500);
  }

  // --- The page of one request

  const page = document.querySelector(".decide");
  const form = document.getElementById("decision");
  if (form) {
    const days = form.querySelector("[name=days]");
    const radios = [...form.querySelectorAll("[name=phrase]")];
    const chosen = () => radios.find((radio) => radio.checked);
    let decision = chosen()?.dataset.of || "grant";
    let latest = 0;
    const show = async () => {
      const turn = ++latest;
      const fields = new URLSearchParams(new FormData(form));
      fields.delete("csrfmiddlewaretoken");
      fields.set("decision", decision);
      const answer = await fetch(`${page.dataset.preview}?${fields}`);
      if (!answer.ok || answer.redirected || turn !== latest) return;
      document.getElementById("preview").outerHTML = await answer.text();
      const { until, days: granted } = document.getElementById("preview").dataset;
      form.querySelectorAll("[data-until]:not(#preview)").forEach((place) => { place.textContent = until; });
      form.querySelectorAll("[data-grant-days]").forEach((place) => { place.textContent = granted; });
    };
    show();
    let timer;
    const later = () => { clearTimeout(timer); timer = setTimeout(show, 250); };
    form.addEventListener("input", (event) => {
      if (event.target.name === "phrase") decision = event.target.dataset.of || decision;
      if (event.target.name === "days") decision = "grant";
      later();
    });
    form.addEventListener("focusin", (event) => {
      if (event.target.id !== "note") return;
      const own = radios.find((radio) => radio.value === "own");
      own.checked = true;
    });
    form.addEventListener("click", (event) => {
      const pick = event.target.closest("[data-days]:not(#preview)");
      if (!pick || !days) return;
      days.value = pick.dataset.days;
      const fewer = radios.find((radio) => radio.value === "creditor_allows");
      const asked = pick === [...form.querySelectorAll(".picks [data-days]")].pop();
      if (fewer && chosen()?.value !== "own") (asked ? radios[0] : fewer).checked = true;
      decision = "grant";
      show();
    });
    // To refuse or to ask needs words: the first press offers the usual ones, the second sends them.
    form.addEventListener("submit", (event) => {
      const wanted = event.submitter?.value;
      if (wanted === "grant" && chosen() && !["grant", ""].includes(chosen().dataset.of)) radios[0].checked = true;
      if (!["refuse", "ask"].includes(wanted) || ["own", wanted].includes(chosen()?.value) || chosen()?.dataset.of === wanted) return;
      event.preventDefault();
      const first = radios.find((radio) => radio.dataset.of === wanted);
      first.checked = true;
      first.focus();
      decision = wanted;
      show();
    });
  }

  // --- The list

  const rows = () => [...document.querySelectorAll("#result_list tr.data-row, #result_list tbody tr")].filter((row) => row.querySelector("a.open"));
  let current = -1;
  const go = (to) => {
    const all = rows();
    if (!all.length) return;
    current = Math.min(Math.max(to, 0), all.length - 1);
    all.forEach((row, index) => row.classList.toggle("cur", index === current));
    all[current].querySelector("a.open").focus({ preventScroll: true });
    all[current].scrollIntoView({ block: "nearest" });
  };
  const onRow = (key) => {
    const row = rows()[current];
    if (!row) return false;
    if (key === "X") row.querySelector("input[type=checkbox]")?.click();
    else if (key === "ENTER") row.querySelector("a.open").click();
    else {
      const act = row.querySelector(`[data-act="${CSS.escape(key)}"]`);
      if (!act) return false;
      act.click();
    }
    return true;
  };
  const review = () => {
    const list = document.getElementById("changelist-form");
    const action = list?.querySelector("[name=action]");
    if (!action || !list.querySelector("[name=_selected_action]:checked")) return;
    action.value = "approve_selected";
    list.submit();
  };

  document.addEventListener("keydown", (event) => {
    if (!plain(event) || isTyping(event.target)) return;
    const key = event.key.toUpperCase();
    const isList = document.getElementById("changelist-form") !== null;
    let done = true;
    const button = document.querySelector(`.case [data-key="${CSS.escape(key)}"]`);
    if (isList && event.shiftKey && key === "A") review();
    else if (button && !event.shiftKey) button.click();
    else if (isList && key === "J") go(current + 1);
    else if (isList && key === "K") go(current - 1);
    else if (isList && key === "ENTER" && event.target === document.body) done = onRow(key);
    else if (isList && ["A", "R", "S", "X"].includes(key) && !event.shiftKey) done = onRow(key);
    else done = false;
    if (done) event.preventDefault();
  });
  if (document.querySelector(".dq-head") && rows().length) {
    current = 0;
    rows()[0].classList.add("cur");
  }
}
