// Renders /api/openapi.json. Text goes in as text nodes only.
"use strict";
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const resolve = (root, node) => (node && node.$ref ? resolve(root, node.$ref.slice(2).split("/").reduce((at, key) => at[key], root)) : node);
const block = (value) => make("pre", {}, JSON.stringify(value, null, 2));

function parameterTable(root, parameters) {
  const rows = parameters.map((given) => {
    const parameter = resolve(root, given);
    const kind = parameter.schema.enum ? parameter.schema.enum.join(" | ") : parameter.schema.type || "any";
    const fallback = "default" in parameter.schema ? `, default ${parameter.schema.default}` : "";
    return make("tr", {}, make("td", {}, make("code", {}, parameter.name)), make("td", {}, parameter.in + (parameter.required ? ", required" : "")),
      make("td", {}, kind + fallback), make("td", {}, parameter.description || ""));
  });
  return make("table", {}, make("tbody", {}, ...rows));
}

function content(root, title, given) {
  const parts = [make("h4", {}, title)];
  for (const [type, media] of Object.entries(given.content || {})) {
    parts.push(make("p", {}, make("code", {}, type)));
    const examples = media.example === undefined ? Object.values(media.examples || {}).map((one) => one.value) : [media.example];
    examples.forEach((example) => parts.push(block(example)));
    const schema = make("details", {}, make("summary", {}, "Schema"), block(resolve(root, media.schema)));
    parts.push(schema);
  }
  return parts;
}

function route(root, path, method, item, operation) {
  const body = make("div", { class: "body" });
  if (operation.description) body.append(make("p", {}, operation.description));
  const parameters = [...(item.parameters || []), ...(operation.parameters || [])];
  if (parameters.length) body.append(make("h4", {}, "Parameters"), parameterTable(root, parameters));
  if (operation.requestBody) body.append(...content(root, "Body", resolve(root, operation.requestBody)));
  for (const [status, response] of Object.entries(operation.responses)) {
    const filled = resolve(root, response);
    body.append(...content(root, `${status}: ${filled.description}`, filled));
  }
  return make("details", { id: operation.operationId, "data-text": `${path} ${operation.summary}`.toLowerCase() },
    make("summary", {}, make("span", { class: `method ${method.toUpperCase()}` }, method.toUpperCase()), make("code", {}, path), make("span", {}, operation.summary)), body);
}

function show(root) {
  document.getElementById("summary").textContent = `${root.info.description} Version ${root.info.version}.`;
  const routes = document.getElementById("routes");
  for (const tag of root.tags) {
    document.getElementById("sections").append(make("li", {}, make("a", { href: `#${tag.name}` }, tag.name)));
    routes.append(make("h2", { id: tag.name }, tag.name), make("p", {}, tag.description));
    for (const [path, item] of Object.entries(root.paths)) {
      for (const method of ["get", "post", "put", "delete"]) {
        if (item[method] && item[method].tags.includes(tag.name)) routes.append(route(root, path, method, item, item[method]));
      }
    }
  }
  document.getElementById("search").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const entry of routes.querySelectorAll("details[data-text]")) entry.hidden = !entry.dataset.text.includes(wanted);
  });
}

fetch("/api/openapi.json").then((reply) => reply.json()).then(show, (error) => {
  document.getElementById("summary").textContent = `The document could not be read: ${error}`;
});
