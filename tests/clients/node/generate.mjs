// Writes generated/client.ts: the types of the schema that a running gateway tells of itself, and of operations.graphql.
//
// GATEWAY_URL and GATEWAY_TOKEN say which gateway. It is what `graphql-codegen` does with the same plugins.

import { mkdir, readFile, writeFile } from "node:fs/promises";

import { codegen } from "@graphql-codegen/core";
import * as typedDocumentNode from "@graphql-codegen/typed-document-node";
import * as typescript from "@graphql-codegen/typescript";
import * as typescriptOperations from "@graphql-codegen/typescript-operations";
import { buildClientSchema, getIntrospectionQuery, parse, printSchema, validate } from "graphql";
import { GraphQLClient } from "graphql-request";

const SCALARS = {
  BigInt: "string",
  Decimal: "string",
  Date: "string",
  DateTime: "string",
  Time: "string",
  Base64: "string",
  JSON: "unknown",
};

const client = new GraphQLClient(process.env.GATEWAY_URL, {
  headers: { Authorization: `Bearer ${process.env.GATEWAY_TOKEN}` },
});
const schema = buildClientSchema(await client.request(getIntrospectionQuery()));
const document = parse(await readFile("operations.graphql", "utf8"));
const faults = validate(schema, document);
if (faults.length > 0) {
  throw new Error(faults.map(String).join("\n"));
}

const written = await codegen({
  filename: "generated/client.ts",
  schema: parse(printSchema(schema)),
  schemaAst: schema,
  documents: [{ location: "operations.graphql", document }],
  config: { scalars: SCALARS, strictScalars: true, enumsAsTypes: true, useTypeImports: true },
  plugins: [{ typescript: {} }, { typescriptOperations: {} }, { typedDocumentNode: {} }],
  pluginMap: { typescript, typescriptOperations, typedDocumentNode },
});
await mkdir("generated", { recursive: true });
await writeFile("generated/client.ts", written);
