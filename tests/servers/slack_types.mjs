// The JSON schema of Slack's own types, as its maintainers publish them for TypeScript (npm `@slack/types`, MIT).
//
//   node slack_types.mjs NODE_MODULES SCHEMA_JSON
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const [modules, target] = process.argv.slice(2);
const { createGenerator } = createRequire(join(modules, "package.json"))("ts-json-schema-generator");
const generator = createGenerator({
  path: join(modules, "@slack", "types", "dist", "index.d.ts"),
  tsconfig: join(import.meta.dirname, "slack_types.tsconfig.json"),
  type: "*",
  skipTypeCheck: true,
  additionalProperties: false,
});
writeFileSync(target, JSON.stringify(generator.createSchema("*")));
