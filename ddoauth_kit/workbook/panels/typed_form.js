// What is typed leaves by a message, and what is said of it comes by one. Neither is part of the
// model, which JupyterLab may save.

const HELD = "taken; type again to replace it";
const WAITING = "Waiting for the kernel.";
const SILENT = "No answer yet. If the kernel is idle, run the cell of this form again.";
const GONE = "Not sent: the kernel that showed this form is gone. Run its cell again.";
const PATIENCE = 10000;

function control(field) {
  if (field.kind === "choice") {
    const select = document.createElement("select");
    for (const [value, label] of field.options) select.add(new Option(label, value));
    return select;
  }
  const input = document.createElement(field.kind === "area" ? "textarea" : "input");
  if (field.kind === "area") input.rows = 3;
  else input.type = field.kind === "secret" ? "password" : "text";
  // No password that is saved for this Jupyter server is filled in, no spelling checked elsewhere.
  input.autocomplete = field.kind === "secret" ? "new-password" : "off";
  input.spellcheck = false;
  input.placeholder = field.hint;
  return input;
}

function labelled(field, number) {
  const input = control(field);
  const label = document.createElement("label");
  // With it, JupyterLab takes no key that is pressed here as a shortcut of its own.
  input.dataset.lmSuppressShortcuts = "";
  input.id = `ddoauth-typed-${crypto.getRandomValues(new Uint32Array(2)).join("-")}-${number}`;
  label.htmlFor = input.id;
  label.textContent = field.label;
  const problem = document.createElement("p");
  problem.id = `${input.id}-problem`;
  problem.hidden = true;
  input.setAttribute("aria-describedby", problem.id);
  return [label, input, problem];
}

function render({ model, el }) {
  const form = document.createElement("form");
  form.className = "ddoauth-typed";
  const inputs = new Map();
  const problems = new Map();
  model.get("fields").forEach((field, number) => {
    const [label, input, problem] = labelled(field, number);
    inputs.set(field, input);
    problems.set(field, problem);
    form.append(label, input, problem);
  });
  const said = document.createElement("span");
  const result = document.createElement("div");
  for (const each of [said, result]) each.setAttribute("role", "status");
  let sent = {};
  let timer;
  const send = (action) => {
    const values = {};
    sent = {};
    for (const [field, input] of inputs) {
      values[field.name] = input.value;
      if (field.kind === "secret") input.value = "";
      else sent[field.name] = input.value;
    }
    said.textContent = WAITING;
    clearTimeout(timer);
    timer = setTimeout(() => { said.textContent = SILENT; }, PATIENCE);
    try {
      model.send({ action, values });
    } catch {
      clearTimeout(timer);
      said.textContent = GONE;
    }
  };
  const buttons = document.createElement("div");
  for (const action of model.get("actions")) {
    const button = document.createElement("button");
    button.className = "jupyter-button widget-button";
    button.type = "submit";
    button.value = button.textContent = action;
    buttons.append(button);
  }
  buttons.append(said);
  form.append(buttons, result);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter.value);
  });
  form.addEventListener("keydown", (event) => {
    // In JupyterLab no key press submits a form by itself.
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    form.requestSubmit(buttons.querySelector("button"));
  });
  const usable = () => {
    for (const each of form.elements) each.disabled = model.get("disabled");
  };
  const answered = ({ html, clear, held, errors }) => {
    clearTimeout(timer);
    said.textContent = "";
    result.innerHTML = html;
    for (const [field, input] of inputs) {
      const problem = problems.get(field);
      problem.textContent = errors[field.name] ?? "";
      problem.hidden = !problem.textContent;
      input.setAttribute("aria-invalid", String(!problem.hidden));
      if (field.kind === "secret") input.placeholder = held.includes(field.name) ? HELD : field.hint;
      // What was typed while the kernel was at work stays.
      else if (clear && field.kind !== "choice" && input.value === sent[field.name]) input.value = "";
    }
  };
  usable();
  model.on("change:disabled", usable);
  model.on("msg:custom", answered);
  el.append(form);
  return () => {
    clearTimeout(timer);
    model.off("change:disabled", usable);
    model.off("msg:custom", answered);
  };
}

export default { render };
