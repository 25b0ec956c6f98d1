/* Charts take their colours from the page's theme, also when it changes; on a phone they are folded. */
"use strict";

(() => {
  const charts = [...document.querySelectorAll(".desk canvas.chart")];
  const names = new Map(charts.map((canvas) => [
    canvas, JSON.parse(canvas.dataset.value).datasets.map((set) => set.backgroundColor.slice(4, -1)),
  ]));

  function paint() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const [canvas, sets] of names) {
      const chart = Chart.getChart(canvas);
      sets.forEach((name, index) => { chart.data.datasets[index].backgroundColor = colour(name); });
      for (const axis of Object.values(chart.options.scales)) {
        axis.ticks = { ...axis.ticks, color: colour("--muted") };
      }
      chart.update();
    }
  }

  if (matchMedia("(max-width: 767px)").matches) {
    document.querySelectorAll(".desk details.fold").forEach((fold) => { fold.open = false; });
  }
  // After django-unfold has drawn them.
  addEventListener("load", () => {
    paint();
    new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["class"] });
  });
})();
