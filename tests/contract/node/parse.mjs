// Reads AsyncAPI documents, one path an argument; prints what the official parser says about each as JSON.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];
const results = {};
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"));
  results[path] = {
    parsed: document !== undefined,
    channels: document ? document.channels().all().length : 0,
    diagnostics: diagnostics.map((found) => ({
      severity: SEVERITIES[found.severity],
      code: found.code,
      message: found.message,
      path: found.path.join("/"),
    })),
  };
}
console.log(JSON.stringify(results));
