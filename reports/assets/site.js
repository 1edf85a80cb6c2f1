// Draws charts, searches tables and opens dialogs, from data that lies beside the page. Text is set, never parsed.
"use strict";
(() => {
  const language = document.documentElement.lang;
  const root = document.body.dataset.root;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const words = window.agentpWords || {};

  function chartConfig() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--quiet").trim();
    const line = style.getPropertyValue("--line").trim();
    const axis = { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12 };
    return { background: "transparent", view: { stroke: null }, axis, legend: { labelColor: ink, titleColor: ink, labelFontSize: 12 }, text: { color: style.getPropertyValue("--ink").trim() } };
  }

  async function drawChart(place) {
    const data = JSON.parse(place.parentElement.querySelector("script[type='application/json']").textContent);
    const specification = { ...window.agentpCharts[place.dataset.chart], datasets: { values: data } };
    // Charts as high as they have rows: Vega warns of heights that hang on data where the width is the page's.
    if (typeof specification.height === "object") {
      const { field } = (specification.encoding || specification.layer[0].encoding).y;
      specification.height = specification.height.step * new Set(data.map((row) => row[field])).size;
      specification.autosize = { type: "fit-x", contains: "padding" };
    }
    try {
      await window.vegaEmbed(place, specification, {
        actions: false, renderer: "svg", ast: true, config: chartConfig(), formatLocale: words.numbers, tooltip: { theme: dark.matches ? "dark" : "light" },
      });
    } catch (error) {
      place.parentElement.querySelector(".failed").hidden = false;
      console.error(error);
    }
  }

  function drawCharts() {
    if (window.vegaEmbed) document.querySelectorAll(".chart").forEach(drawChart);
  }

  // Cells of long tables are [shown, sorted by]; what is shown is text, whatever a client wrote.
  const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const textOf = (data) => String(Array.isArray(data) ? data[0] : data);
  const render = (data, kind) => {
    // What is searched is parsed by DataTables wherever it holds an ampersand.
    if (kind === "display" && data[2] && Array.isArray(data)) return `<a href="${escape(data[2])}">${escape(textOf(data))}</a>`;
    if (kind === "display" || kind === "filter") return escape(textOf(data));
    return (kind === "sort" || kind === "type") && Array.isArray(data) ? data[1] : textOf(data);
  };

  // `read` makes text of what the table keeps of a cell.
  function addFilters(table, api, box, read) {
    const bar = document.createElement("div");
    bar.className = "filters";
    table.querySelectorAll("thead th").forEach((head, index) => {
      if (!head.dataset.filter) return;
      const values = new Set();
      api.column(index).data().each((data) => values.add(read(textOf(data))));
      const label = document.createElement("label");
      label.append(`${head.dataset.filter} `);
      const choice = document.createElement("select");
      choice.append(new Option(words.all, ""));
      [...values].sort((one, other) => one.localeCompare(other, language)).forEach((value) => choice.append(new Option(value, value)));
      choice.addEventListener("change", () => {
        const isChosen = (text, data) => !choice.value || read(textOf(data[index] ?? text)) === choice.value;
        api.column(index).search.fixed("filter", isChosen).draw();
      });
      label.append(choice);
      bar.append(label);
    });
    if (bar.children.length) box.prepend(bar);
  }

  // DataTables keeps the HTML of cells that were in the page; an option shows text.
  function decode(value) {
    const holder = document.createElement("textarea");
    holder.innerHTML = value;
    return holder.value;
  }

  // A phone is found however it is written or pasted: what stands between its digits is not searched for.
  const unseen = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|tel:/gi;
  const tidy = (text) => {
    const plain = text.replace(unseen, "").trim();
    return /^[\d\s()+\-\u2010-\u2015\u2212./~[\]]{4,}$/.test(plain) ? plain.replace(/\D/g, "").replace(/^00/, "") : text;
  };

  function makeTable(table) {
    const rows = document.querySelector(`script[data-rows="${table.id}"]`);
    const parsed = rows ? JSON.parse(rows.textContent) : null;
    const hidden = parsed ? parsed.hidden : [];
    const options = {
      order: [], pageLength: 25, lengthMenu: [10, 25, 50, 100], autoWidth: false, language: words.table,
      layout: { topStart: "search", topEnd: "pageLength", bottomStart: "info", bottomEnd: "paging" },
    };
    if (parsed) {
      const titles = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
      Object.assign(options, {
        data: parsed.rows, deferRender: true,
        // Text with a sign of HTML in it would be taken for HTML, and its tags not be found.
        columns: parsed.classes.map((name, index) => ({
          className: name, render, visible: !hidden.includes(index),
          createdCell: (cell) => { cell.dataset.label = titles[index]; },
          type: parsed.rows.some((row) => Array.isArray(row[index]) && row[index].length === 2) ? null : "string",
        })),
      });
    }
    const api = new window.agentpTables.DataTable(table, options);
    const box = table.closest(".table-box");
    const field = box.querySelector(".dt-search input");
    if (field) {
      field.setAttribute("aria-label", words.table.search);
      // In place of the table's own listeners, which search for what was typed again when the key is let go.
      ["input", "search", "keyup", "mouseup", "paste", "cut"].forEach((kind) => field.addEventListener(kind, (event) => {
        event.stopImmediatePropagation();
        if (kind === "input" || kind === "search") api.search(tidy(field.value)).draw();
      }, true));
    }
    addFilters(table, api, box, parsed ? (text) => text : decode);
    if (parsed && parsed.dialogs) watchRows(table, api, parsed);
  }

  function watchRows(table, api, parsed) {
    const place = parsed.names.indexOf("session_id");
    const mark = () => table.querySelectorAll("tbody tr").forEach((line) => {
      if (line.classList.contains("opens") || !api.row(line).data()) return;
      line.classList.add("opens");
      const first = line.cells[0];
      const opener = document.createElement("button");
      opener.type = "button";
      opener.className = "opener";
      opener.textContent = first.textContent;
      first.replaceChildren(opener);
    });
    mark();
    api.on("draw", mark);
    table.addEventListener("click", (event) => {
      const line = event.target.closest("tbody tr.opens");
      if (!line) return;
      const data = api.row(line).data();
      const shown = (index) => textOf(data[index]);
      const chunk = Math.floor(api.row(line).index() / parsed.dialogs);
      const named = (name) => (parsed.names.includes(name) ? shown(parsed.names.indexOf(name)) : "");
      openDialog(shown(place), `${named("client_name")}, ${shown(0)}`, named("summary"), chunk);
    });
  }

  const dialogs = new Map();
  // What staging puts in the place of what nobody may read (the macro redacted_text).
  const marks = /\[(?:secret|e-mail|card|phone)\]/;
  window.agentpDialogs = (found) => Object.entries(found).forEach(([session, messages]) => dialogs.set(session, messages));

  function loadChunk(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `../dialogs/${name}.js`;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  async function openDialog(session, title, summary, chunk) {
    const box = document.createElement("dialog");
    const head = document.createElement("header");
    const heading = document.createElement("h2");
    heading.id = "dialog-title";
    heading.textContent = title;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "close";
    close.textContent = words.dialog.close;
    close.addEventListener("click", () => box.close());
    head.append(heading, close);
    const list = document.createElement("ol");
    list.className = "messages";
    list.setAttribute("aria-busy", "true");
    list.append(Object.assign(document.createElement("li"), { textContent: words.dialog.loading }));
    box.setAttribute("aria-labelledby", heading.id);
    const lead = Object.assign(document.createElement("p"), { className: "summary", textContent: summary });
    box.append(head, lead, list);
    box.addEventListener("close", () => box.remove());
    document.body.append(box);
    box.showModal();
    let note = words.dialog.missing;
    if (!dialogs.has(session)) {
      try {
        await loadChunk(chunk);
      } catch {
        note = words.dialog.failed;
      }
    }
    list.replaceChildren();
    list.removeAttribute("aria-busy");
    const messages = dialogs.get(session) || [];
    if (messages.some((message) => marks.test(message[2]))) {
      list.before(Object.assign(document.createElement("p"), { className: "marks", textContent: words.dialog.marks }));
    }
    if (!messages.length) list.append(Object.assign(document.createElement("li"), { textContent: note }));
    messages.forEach(([role, moment, text]) => {
      const line = document.createElement("li");
      line.className = role === "user" ? "user" : "assistant";
      const small = document.createElement("small");
      small.textContent = `${words.dialog[role] || role}, ${moment}`;
      line.append(small, text);
      list.append(line);
    });
  }

  if (window.agentpTables) document.querySelectorAll("table.searchable").forEach(makeTable);
  drawCharts();
  dark.addEventListener("change", drawCharts);
  document.querySelectorAll("details").forEach((box) => box.addEventListener("toggle", () => dispatchEvent(new Event("resize"))));
  addEventListener("beforeprint", () => document.querySelectorAll("figure details").forEach((box) => { box.open = false; }));
})();
