"use strict";
for (const button of document.querySelectorAll(".print-page")) {
  button.addEventListener("click", () => window.print());
}
