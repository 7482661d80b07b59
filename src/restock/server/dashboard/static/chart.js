// Every episode of a comparison, drawn with plotly.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plain = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const lines = data.policies.map(one => ({
    x: data.seeds.map((seed, k) => k + 1), y: one.values, name: plain(one.name), mode: "lines+markers", type: "scatter",
    line: { color: one.colour, width: 1.4 }, marker: { color: one.colour, size: 5 },
    customdata: data.seeds.map(String), hovertemplate: "%{y:,.2f} (seed %{customdata})",
  }));
  const narrow = window.innerWidth < 700;
  const layout = {
    font: { family: 'system-ui, "Liberation Sans", Arial, sans-serif', size: 13, color: "#1f2a36" },
    margin: { l: 64, r: 12, t: 8, b: narrow ? 110 : 48 },
    xaxis: { title: { text: "episode" }, gridcolor: "#e9ecef", zeroline: false, tickformat: "d" },
    yaxis: { title: { text: "return" }, gridcolor: "#e9ecef", zerolinecolor: "#5d6873" },
    legend: narrow ? { orientation: "h", y: -0.25 } : {},
    hovermode: "x unified",
  };
  Plotly.newPlot("episodes", lines, layout, { displayModeBar: false, responsive: true });
});
