// The pages that links lead to: the token from behind the #, a form to the API, and what came of it.
"use strict";

const FAILED = "That did not work: the server could not be reached. Please try again in a moment.";
const token = location.hash.slice(1);
const shown = document.getElementById(token ? "with-token" : "without-token");

// Out of the address bar, the history and what is shared from there; the page keeps it as long as it is open.
history.replaceState(null, "", location.pathname);
shown.hidden = false;
shown.querySelector("input")?.focus();
addEventListener("hashchange", () => location.reload());

document.querySelectorAll("[data-shows]").forEach((box) =>
  box.addEventListener("change", () => {
    document.getElementById(box.dataset.shows).type = box.checked ? "text" : "password";
  }),
);

document.querySelectorAll("form").forEach((form) =>
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say(form, "");
    const refusal = await post(form);
    button.disabled = false;
    if (!refusal) finish(form);
    else if (refusal.code === "link_invalid") offerAnother(form, refusal.sentence);
    else say(form, refusal.sentence, refusal.field);
  }),
);

async function post(form) {
  const fields = Object.fromEntries(new FormData(form));
  try {
    const answer = await fetch(form.dataset.post, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(form.id === "with-token" ? { ...fields, token } : fields),
      credentials: "omit",
      redirect: "error",
    });
    return answer.ok ? null : told(await answer.json());
  } catch {
    return { sentence: FAILED };
  }
}

function told(problem) {
  const first = problem.errors?.[0];
  return { code: problem.code, sentence: first?.detail ?? problem.detail, field: first?.pointer?.slice(1) };
}

function offerAnother(form, sentence) {
  const other = document.getElementById("without-token");
  form.hidden = true;
  other.hidden = false;
  say(other, sentence);
  (other.querySelector("input") ?? other).focus();
}

function say(form, sentence, field) {
  const said = form.querySelector(".said");
  said.textContent = sentence;
  said.hidden = !sentence;
  form.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
  const wrong = field && form.elements.namedItem(field);
  if (!wrong) return;
  wrong.setAttribute("aria-invalid", "true");
  wrong.focus();
}

function finish(form) {
  const done = document.getElementById(form.dataset.done);
  form.hidden = true;
  done.hidden = false;
  done.focus();
}
