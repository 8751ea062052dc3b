// A page comes by a message and not as state, which JupyterLab may save: its forms hold tokens.
// The frame runs no script of the page; what is clicked goes to the kernel, which is the browser.

function collected(form, button) {
  const fields = {};
  for (const [name, value] of new FormData(form, button)) fields[name] = String(value);
  return fields;
}

function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.className = "ddoauth-page";
  frame.title = model.get("title");
  frame.sandbox = "allow-same-origin allow-forms";
  frame.hidden = true;
  const follow = (event) => {
    const link = event.target.closest("a[href]");
    if (!link) return;
    event.preventDefault();
    model.send({ target: link.getAttribute("href"), fields: null });
  };
  const submit = (event) => {
    event.preventDefault();
    const form = event.target;
    const target = form.getAttribute("action") ?? "";
    model.send({ target, fields: collected(form, event.submitter) });
  };
  frame.addEventListener("load", () => {
    const page = frame.contentDocument;
    page.addEventListener("click", follow);
    page.addEventListener("submit", submit);
    frame.style.height = `${Math.min(page.documentElement.scrollHeight + 4, 640)}px`;
  });
  const show = (message) => {
    frame.hidden = !message.html;
    frame.srcdoc = message.html;
  };
  model.on("msg:custom", show);
  el.append(frame);
  model.send({ ready: true });
  return () => model.off("msg:custom", show);
}

export default { render };
