// Shows the API's description. Where it is for staff only, asks for a key first; nothing of it is stored.
"use strict";

const form = document.getElementById("ask");
const refused = document.getElementById("refused");
let credentials = null;

async function open() {
  const headers = credentials ? { Authorization: `Bearer ${credentials}` } : {};
  const answer = await fetch("/openapi.json", { headers });
  if (answer.ok) {
    form.hidden = true;
    SwaggerUIBundle({
      spec: await answer.json(),
      dom_id: "#docs",
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      validatorUrl: null,
      requestInterceptor: (request) => {
        if (credentials && !request.headers.Authorization) request.headers.Authorization = `Bearer ${credentials}`;
        return request;
      },
    });
    return;
  }
  const problem = await answer.json().catch(() => ({}));
  refused.textContent = credentials ? problem.detail || `The server answered ${answer.status}.` : "";
  form.hidden = false;
  document.getElementById("key").focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  credentials = document.getElementById("key").value.trim();
  open();
});

open();
