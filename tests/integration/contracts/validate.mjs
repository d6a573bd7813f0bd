// What the official parser of AsyncAPI says of the document on standard input, as JSON.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The web client's lock file says which version; it is installed in its folder.
const { Parser } = createRequire(process.env.WEB_PACKAGE)("@asyncapi/parser");

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const operations = document?.allOperations().all() ?? [];
console.log(
  JSON.stringify({
    complaints: diagnostics.map(({ code, severity, path, message }) => ({
      code,
      severity,
      at: path.join("."),
      message,
    })),
    operations: operations.map((operation) => [operation.id(), operation.action()]),
  }),
);
