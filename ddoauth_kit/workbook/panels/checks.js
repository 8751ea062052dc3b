// A list of boxes to tick. The ticked names are the one thing that the kernel hears of; the search
// stays in the browser.

function box(name, ticked, changed) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "checkbox";
  input.value = name;
  input.checked = ticked;
  // With it, JupyterLab takes no key that is pressed here as a shortcut of its own.
  input.dataset.lmSuppressShortcuts = "";
  input.addEventListener("change", changed);
  label.append(input, name);
  return label;
}

function button(text, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "jupyter-button widget-button";
  made.textContent = text;
  made.addEventListener("click", work);
  return made;
}

function render({ model, el }) {
  const group = document.createElement("fieldset");
  group.className = "ddoauth-checks";
  const legend = document.createElement("legend");
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search";
  search.setAttribute("aria-label", `Search ${model.get("description")}`);
  search.dataset.lmSuppressShortcuts = "";
  const list = document.createElement("div");
  const inputs = () => [...list.querySelectorAll("input")];
  const shown = () => inputs().filter((input) => !input.parentElement.hidden);
  const count = () => {
    legend.textContent = `${model.get("description")} (${model.get("value").length} chosen)`;
  };
  const changed = () => {
    model.set("value", inputs().filter((input) => input.checked).map((input) => input.value));
    model.save_changes();
  };
  const every = (ticked) => () => {
    for (const input of shown()) input.checked = ticked;
    changed();
  };
  const narrow = () => {
    const words = search.value.toLowerCase().split(/[\s_]+/);
    for (const input of inputs()) {
      const name = input.value.toLowerCase();
      input.parentElement.hidden = !words.every((word) => name.includes(word));
    }
  };
  const build = () => {
    const ticked = new Set(model.get("value"));
    list.replaceChildren(
      ...model.get("options").map((name) => box(name, ticked.has(name), changed)),
    );
    search.hidden = model.get("options").length < 12;
    narrow();
    count();
  };
  const update = () => {
    const ticked = new Set(model.get("value"));
    for (const input of inputs()) input.checked = ticked.has(input.value);
    count();
  };
  const tools = document.createElement("p");
  tools.append(search, button("All", every(true)), button("None", every(false)));
  search.addEventListener("input", narrow);
  group.append(legend, tools, list);
  build();
  model.on("change:options", build);
  model.on("change:value", update);
  el.append(group);
  return () => {
    model.off("change:options", build);
    model.off("change:value", update);
  };
}

export default { render };
