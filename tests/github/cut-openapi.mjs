#!/usr/bin/env node
// Makes openapi.json again: the part of GitHub's published description of its REST API that the
// fake in fake/ checks requests and answers against.
//
//   node tests/github/cut-openapi.mjs [VERSION of the npm package @octokit/openapi]
//
// `npm` and `tar` are needed. Prose is left out; `nullable` of OpenAPI 3.0 becomes a JSON Schema
// type; a request's object that lists its properties may have no others.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const version = process.argv[2] ?? "23.0.2";
const repo = "/repos/{owner}/{repo}";
const routes = {
  [repo]: ["get"],
  [`${repo}/issues/{issue_number}/comments`]: ["get", "post"],
  [`${repo}/issues/comments/{comment_id}`]: ["get", "patch", "delete"],
  [`${repo}/pulls`]: ["get"],
  [`${repo}/pulls/{pull_number}`]: ["get"],
  [`${repo}/commits/{commit_sha}/pulls`]: ["get"],
  [`${repo}/statuses/{sha}`]: ["post"],
  [`${repo}/commits/{ref}/status`]: ["get"],
  [`${repo}/commits/{ref}/statuses`]: ["get"],
  [`${repo}/commits/{ref}/check-runs`]: ["get"],
  [`${repo}/check-runs`]: ["post"],
  [`${repo}/check-runs/{check_run_id}`]: ["get", "patch"],
  [`${repo}/deployments`]: ["get", "post"],
  [`${repo}/deployments/{deployment_id}`]: ["get", "delete"],
  [`${repo}/deployments/{deployment_id}/statuses`]: ["get", "post"],
  [`${repo}/environments/{environment_name}/secrets`]: ["get"],
  [`${repo}/environments/{environment_name}/variables`]: ["get"],
  [`${repo}/actions/secrets`]: ["get"],
  [`${repo}/actions/variables`]: ["get"],
  [`${repo}/actions/organization-variables`]: ["get"],
  [`${repo}/actions/organization-secrets`]: ["get"],
  "/orgs/{org}/teams/{team_slug}/memberships/{username}": ["get"],
  "/user": ["get"],
};
// The fake's answers are these examples with its own values over them.
const templates = {
  repository: [repo, "get", 200],
  comment: [`${repo}/issues/comments/{comment_id}`, "get", 200],
  pull: [`${repo}/pulls/{pull_number}`, "get", 200],
  pulls: [`${repo}/pulls`, "get", 200],
  status: [`${repo}/statuses/{sha}`, "post", 201],
  combined_status: [`${repo}/commits/{ref}/status`, "get", 200],
  check_run: [`${repo}/check-runs/{check_run_id}`, "get", 200],
  deployment: [`${repo}/deployments/{deployment_id}`, "get", 200],
  deployment_status: [`${repo}/deployments/{deployment_id}/statuses`, "post", 201],
  membership: ["/orgs/{org}/teams/{team_slug}/memberships/{username}", "get", 200],
  user: ["/user", "get", 200],
};

const folder = mkdtempSync(join(tmpdir(), "openapi-"));
execFileSync("npm", ["pack", "--silent", `@octokit/openapi@${version}`], { cwd: folder });
execFileSync("tar", ["xzf", `octokit-openapi-${version}.tgz`], { cwd: folder });
const whole = JSON.parse(readFileSync(join(folder, "package/generated/api.github.com.json"), "utf8"));
rmSync(folder, { recursive: true });

const lookUp = (ref) => ref.slice(2).split("/").reduce((node, name) => node[name], whole);
const resolve = (node) => (node?.$ref ? lookUp(node.$ref) : node);
const schemas = {};

function schema(node, isRequest) {
  if (node.$ref) {
    const name = node.$ref.split("/").pop();
    if (!(name in schemas)) {
      schemas[name] = {};
      schemas[name] = schema(lookUp(node.$ref), isRequest);
    }
    return { $ref: `#/schemas/${name}` };
  }
  const kept = {};
  const plain = ["type", "enum", "required", "maxLength", "minLength", "maxItems", "minItems",
    "minimum", "maximum", "pattern", "format"];
  for (const key of plain) if (key in node) kept[key] = node[key];
  for (const key of ["oneOf", "anyOf", "allOf"]) {
    if (key in node) kept[key] = node[key].map((part) => schema(part, isRequest));
  }
  if (node.not) kept.not = schema(node.not, isRequest);
  if (node.items) kept.items = schema(node.items, isRequest);
  if (node.properties) {
    kept.properties = Object.fromEntries(
      Object.entries(node.properties).map(([name, part]) => [name, schema(part, isRequest)]),
    );
  }
  if (typeof node.additionalProperties === "object") {
    kept.additionalProperties = schema(node.additionalProperties, isRequest);
  } else if (node.additionalProperties === false || (isRequest && node.properties && !node.oneOf)) {
    kept.additionalProperties = false;
  }
  if (!node.nullable) return kept;
  if (kept.enum) kept.enum = [...kept.enum, null];
  if (typeof kept.type === "string") return { ...kept, type: [kept.type, "null"] };
  return { anyOf: [kept, { type: "null" }] };
}

// The variants of a check run list again, with `additionalProperties: true`, what stands beside them.
function request(node) {
  const kept = schema(node, true);
  if (node.properties && node.oneOf) kept.additionalProperties = false;
  for (const part of [...(kept.oneOf ?? []), ...(kept.anyOf ?? [])]) {
    if (node.properties) delete part.additionalProperties;
  }
  return kept;
}

const json = (node) => resolve(node)?.content?.["application/json"];
const paths = {};
for (const [path, methods] of Object.entries(routes)) {
  if (!whole.paths[path]) throw new Error(`GitHub has no ${path}`);
  paths[path] = {};
  for (const method of methods) {
    const operation = whole.paths[path][method];
    const parameters = [...(whole.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
    const query = parameters.filter((parameter) => parameter.in === "query");
    const responses = {};
    for (const [status, response] of Object.entries(operation.responses)) {
      const content = json(response);
      responses[status] = content?.schema ? schema(content.schema, false) : null;
    }
    const body = json(operation.requestBody)?.schema;
    paths[path][method] = {
      query: Object.fromEntries(query.map((parameter) => [parameter.name, schema(parameter.schema, false)])),
      request: body ? request(body) : null,
      responses,
    };
  }
}

function example([path, method, status]) {
  const examples = Object.values(json(whole.paths[path][method].responses[status]).examples);
  const value = resolve(examples[0]).value;
  return Array.isArray(value) ? value[0] : value;
}

const cut = {
  source: {
    package: `@octokit/openapi ${version}`,
    description: whole.info.title,
    version: whole.info.version,
    license: whole.info.license.name,
    made_by: "tests/github/cut-openapi.mjs",
  },
  paths,
  schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
  templates: Object.fromEntries(Object.entries(templates).map(([name, at]) => [name, example(at)])),
};
// One line for each route, schema and template: small, and a new version's changes can be read.
const lines = (object) =>
  Object.entries(object)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(",\n");
const sections = Object.entries(cut).map(([name, value]) => `${JSON.stringify(name)}: {\n${lines(value)}\n}`);
const here = dirname(fileURLToPath(import.meta.url));
writeFileSync(join(here, "openapi.json"), `{\n${sections.join(",\n")}\n}\n`);
