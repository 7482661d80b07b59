// Every episode of a comparison, drawn with plotly.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // Colours as the style of the page has them, also in the dark: those of lines as a picture would be drawn in them.
  const style = getComputedStyle(document.documentElement);
  const [ink, grey, line, paper] = ["ink", "grey", "line", "paper"].map(name => style.getPropertyValue(`--${name}`).trim());
  const probe = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const stroke = probe.appendChild(document.createElementNS(probe.namespaceURI, "path"));
  document.body.append(probe);
  const shade = colour => { stroke.setAttribute("stroke", colour); return getComputedStyle(stroke).stroke; };
  const plain = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const lines = data.policies.map(one => ({
    x: data.seeds.map((seed, k) => k + 1), y: one.values, name: plain(one.name), mode: "lines+markers", type: "scatter",
    line: { color: shade(one.colour), width: 1.4 }, marker: { color: shade(one.colour), size: 5 },
    customdata: data.seeds.map(String), hovertemplate: "%{y:,.2f} (seed %{customdata})",
  }));
  probe.remove();
  const narrow = window.innerWidth < 700;
  const layout = {
    font: { family: 'system-ui, "Liberation Sans", Arial, sans-serif', size: 13, color: ink },
    paper_bgcolor: paper, plot_bgcolor: paper, hoverlabel: { bgcolor: paper },
    margin: { l: 64, r: 12, t: 8, b: narrow ? 110 : 48 },
    xaxis: { title: { text: "episode" }, gridcolor: line, zeroline: false, tickformat: "d" },
    yaxis: { title: { text: "return" }, gridcolor: line, zerolinecolor: "#5d6873" },
    legend: narrow ? { orientation: "h", y: -0.25 } : {},
    hovermode: "x unified",
  };
  Plotly.newPlot("episodes", lines, layout, { displayModeBar: false, responsive: true });
});
