import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createApiWorld } from "../../test/api/api-world.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly security: readonly object[];
}

type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};

async function load(): Promise<Document> {
  const { app } = await createApiWorld();
  const answer = await app.inject("/api/openapi.json");
  assert.match(String(answer.headers["content-type"]), /^application\/json/);
  return answer.json();
}

test("the document is OpenAPI 3.1 with every reference in place", async () => {
  const document = await load();
  assert.equal(document.openapi, "3.1.0");
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = ""]) => reference);
  assert.ok(references.length > 20);
  for (const reference of references) {
    const [, name = ""] = /^#\/components\/schemas\/(\w+)$/.exec(reference) ?? [];
    assert.ok(name in document.components.schemas, reference);
  }
  assert.ok(!text.includes("$defs") && !text.includes("$schema"));
  for (const name of ["Message", "Part", "SentMessage", "Problem", "Why"]) {
    assert.ok(name in document.components.schemas, name);
  }
});

test("every call is named once, and has a parameter for each variable of its path", async () => {
  const { paths } = await load();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  );
  assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
  for (const { path, operation } of operations) {
    const variables = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
    assert.deepEqual(parameters, variables, path);
    assert.ok("default" in operation.responses, path);
  }
});

test("what the document says is open is open, and nothing else is", async () => {
  const { app } = await createApiWorld();
  for (const [path, methods] of Object.entries((await load()).paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const url = path.replaceAll(/\{\w+\}/g, "x");
      const answer = await app.inject({ method: method as "get", url, remoteAddress: "10.0.0.1" });
      assert.equal(answer.statusCode === 401, security.length > 0, `${method} ${path}`);
    }
  }
});

test("docs/api.md lists every call, and none that is not there", async () => {
  const text = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
  const listed = [...text.matchAll(/^\| `([A-Z]+ \/\S*)` \|/gm)].map(([, call]) => call);
  const { paths } = await load();
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // The document does not describe the pages that describe it.
  const own = ["GET /api/openapi.json", "GET /api/docs"];
  assert.deepEqual(listed.toSorted(), [...described, ...own].toSorted());
});
