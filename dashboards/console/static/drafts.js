// What somebody wrote and could not send, because the session was over or the form was refused, comes back with its
// form, in the same tab and to the same person. Without this module the pages still say that nothing was done.

const KEY = "yujing-draft";
const TYPED = new Set(["textarea", "text", "date", "datetime-local", "number", "radio", "checkbox", "select-one", "tel"]);
const { who = "", undone = "" } = document.body.dataset;

const read = () => JSON.parse(sessionStorage.getItem(KEY));
const forget = () => sessionStorage.removeItem(KEY);
const keep = (draft) => sessionStorage.setItem(KEY, JSON.stringify(draft));

const path = (form) => new URL(form.getAttribute("action") ?? "", location.href).pathname;
const fields = (form) => [...form.elements].filter((field) => field.name && TYPED.has(field.type));
const written = (field) => (field.type === "textarea" || field.type === "text") && field.value !== field.defaultValue;

function keepForm(form, refused) {
  if (!fields(form).some(written)) return;
  const values = fields(form).map((field) => [field.name, field.type, field.value, field.checked ?? false]);
  keep({ who, refused, page: location.pathname, action: path(form), values });
}

function fill(form, values) {
  for (const [name, type, value, checked] of values) {
    for (const field of fields(form).filter((one) => one.name === name && one.type === type)) {
      if (type !== "radio" && type !== "checkbox") field.value = value;
      else if (field.value === value) field.checked = checked;
    }
  }
}

function restore({ page, action, values }) {
  const posts = () => [...document.querySelectorAll("form[method=post]")];
  let form = posts().find((one) => path(one) === action);
  if (!form) {
    // the dialog takes its address from the row it was opened at
    document.querySelector(`[data-ack="${action.split("/")[2]}"]`)?.click();
    form = posts().find((one) => path(one) === action);
  }
  if (!form) {
    if (location.pathname === page) forget(); // what it was for can be done no more
    return;
  }
  fill(form, values);
  const note = document.createElement("p");
  note.className = "wrong";
  note.setAttribute("role", "alert");
  note.textContent = undone;
  form.prepend(note);
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  form.dispatchEvent(new Event("input", { bubbles: true })); // what was written is not to be drawn over
  form.scrollIntoView({ block: "center" });
  forget();
}

document.addEventListener("submit", ({ target: form }) => {
  if (path(form) === "/signout") forget();
  else if (form.method === "post") keepForm(form, false);
});
document.addEventListener("session-over", () => document.querySelectorAll("form[method=post]").forEach((form) => keepForm(form, true)));

const draft = read();
if (draft) {
  if ("refused" in document.body.dataset) keep({ ...draft, refused: true });
  else if (draft.refused && draft.who === who) restore(draft);
  else forget(); // it was done, or it was another's
}
