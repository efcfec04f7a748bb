// What somebody wrote and that was not done comes back with its form, in the same tab and to the same person: what they
// could not send, because the session was over or the form was refused, and what stood in the other forms of a page
// when one of them was sent. Without this module the pages still say that nothing was done.

const KEY = "yujing-drafts";
const TYPED = new Set(["textarea", "text", "date", "datetime-local", "number", "radio", "checkbox", "select-one", "tel"]);
const { who = "", undone = "" } = document.body.dataset;

// { who, forms }; a form's state: "sent", "undone" (it was sent, or was to be, and was not done) or "open" (not sent)
const read = () => JSON.parse(sessionStorage.getItem(KEY)) ?? { who, forms: [] };
const keep = (forms) => (forms.length ? sessionStorage.setItem(KEY, JSON.stringify({ who: read().who, forms })) : forget());
const forget = () => sessionStorage.removeItem(KEY);

const posts = () => [...document.querySelectorAll("form[method=post]")];
const path = (form) => new URL(form.getAttribute("action") ?? "", location.href).pathname;
const fields = (form) => [...form.elements].filter((field) => field.name && TYPED.has(field.type));
const written = (field) => (field.type === "textarea" || field.type === "text") && field.value !== field.defaultValue;
const begun = (form) => fields(form).some(written) && !form.closest("dialog:not([open])");

function keepForms(state) {
  const forms = posts().filter(begun).map((form) => ({
    state: state(form),
    page: location.pathname,
    action: path(form),
    values: fields(form).map((field) => [field.name, field.type, field.value, field.checked ?? false]),
  }));
  keep([...read().forms.filter((one) => !forms.some(({ action }) => action === one.action)), ...forms]);
}

function fill(form, values) {
  for (const [name, type, value, checked] of values) {
    for (const field of fields(form).filter((one) => one.name === name && one.type === type)) {
      if (type !== "radio" && type !== "checkbox") field.value = value;
      else if (field.value === value) field.checked = checked;
    }
  }
}

// Whether nothing is left to be restored elsewhere.
function restore({ state, page, action, values }) {
  let form = posts().find((one) => path(one) === action);
  if (!form) {
    // the dialog takes its address from the row it was opened at
    document.querySelector(`[data-ack="${action.split("/")[2]}"]`)?.click();
    form = posts().find((one) => path(one) === action);
  }
  if (!form) return location.pathname === page; // what it was for can be done no more
  fill(form, values);
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  form.dispatchEvent(new Event("input", { bubbles: true })); // what was written is not to be drawn over
  if (state === "undone") {
    const note = document.createElement("p");
    note.className = "wrong";
    note.setAttribute("role", "alert");
    note.textContent = undone;
    form.prepend(note);
    form.scrollIntoView({ block: "center" });
  }
  return true;
}

document.addEventListener("submit", ({ target: form }) => {
  if (path(form) === "/signout") forget();
  else if (form.method === "post") keepForms((one) => (one === form ? "sent" : "open"));
});
document.addEventListener("session-over", () => keepForms(() => "undone"));

const drafts = read();
if ("refused" in document.body.dataset) {
  keep(drafts.forms.map((one) => (one.state === "sent" ? { ...one, state: "undone" } : one)));
} else if (drafts.who === who) {
  keep(drafts.forms.filter((one) => one.state !== "sent" && !restore(one)));
} else forget();
