// What is typed leaves by a message. It is no part of the model, which JupyterLab may save.

const TAKEN = "taken; type again to replace it";
const WAITING = "Waiting for the kernel.";

function control(field) {
  if (field.kind === "choice") {
    const select = document.createElement("select");
    for (const [value, label] of field.options) select.add(new Option(label, value));
    return select;
  }
  const input = document.createElement(field.kind === "area" ? "textarea" : "input");
  if (field.kind === "area") input.rows = 3;
  else input.type = field.kind === "secret" ? "password" : "text";
  // A password manager would offer to keep what is pasted here, and send spelling elsewhere.
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
  return [label, input];
}

function render({ model, el }) {
  const form = document.createElement("form");
  form.className = "ddoauth-typed";
  const inputs = new Map();
  model.get("fields").forEach((field, number) => {
    const [label, input] = labelled(field, number);
    inputs.set(field, input);
    form.append(label, input);
  });
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  let values = {};
  const send = (action) => {
    values = {};
    for (const [field, input] of inputs) {
      values[field.name] = input.value;
      if (field.kind === "secret") input.value = "";
    }
    said.textContent = WAITING;
    model.send({ action, values });
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
  form.append(buttons);
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
  const answered = ({ taken, clear }) => {
    said.textContent = "";
    for (const [field, input] of inputs) {
      if (field.kind === "secret") input.placeholder = taken.includes(field.name) ? TAKEN : field.hint;
      // What was typed while the kernel was at work stays.
      else if (clear && field.kind !== "choice" && input.value === values[field.name]) input.value = "";
    }
  };
  usable();
  model.on("change:disabled", usable);
  model.on("msg:custom", answered);
  el.append(form);
  return () => {
    model.off("change:disabled", usable);
    model.off("msg:custom", answered);
  };
}

export default { render };
