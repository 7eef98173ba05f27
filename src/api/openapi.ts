import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type { ApiRoute } from "./api-route.ts";
import { problemShape } from "./problems.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of these routes, from the very schemas that they are checked with. */
export function openApiDocument(routes: readonly ApiRoute[]): Readonly<Record<string, unknown>> {
  const schemas: Record<string, unknown> = {};
  const schemaOf = (schema: z.ZodType): JsonSchema => hoisted(schema, schemas);
  const failure = {
    description: "A problem document.",
    content: { "application/problem+json": { schema: schemaOf(problemShape) } },
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, failure, schemaOf) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Parley", version: "1", description: "Bots on messaging channels: send, read, decide, explain." },
    paths,
    components: { schemas, securitySchemes: { key: { type: "http", scheme: "bearer" } } },
  };
}

function operationOf(route: ApiRoute, failure: object, schemaOf: (schema: z.ZodType) => JsonSchema): object {
  const responses: Record<string, object> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    const description = STATUS_CODES[status] ?? "";
    const content =
      typeof answer === "string" ? { [answer]: {} } : { "application/json": { schema: schemaOf(answer) } };
    responses[status] = answer === "" ? { description } : { description, content };
  }
  return {
    operationId: route.name,
    summary: route.summary,
    security: route.access === "key" ? [{ key: [] }] : route.access === "local" ? [{ key: [] }, {}] : [],
    parameters: [...parametersOf(route.params, "path", schemaOf), ...parametersOf(route.query, "query", schemaOf)],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: bodyOf(route.body, schemaOf) } }),
    responses: { ...responses, default: failure },
  };
}

function parametersOf(
  schema: z.ZodObject | undefined,
  place: "path" | "query",
  schemaOf: (schema: z.ZodType) => JsonSchema,
): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema) as {
    properties?: Record<string, JsonSchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function bodyOf(body: z.ZodType | "file", schemaOf: (schema: z.ZodType) => JsonSchema): object {
  return body === "file" ? { "application/octet-stream": {} } : { "application/json": { schema: schemaOf(body) } };
}

/** The JSON Schema of a shape, with the named shapes in it moved to where OpenAPI has them. */
function hoisted(shape: z.ZodType, schemas: Record<string, unknown>): JsonSchema {
  // "input" for answers too: what an answer may gain later must not be forbidden now.
  const text = JSON.stringify(z.toJSONSchema(shape, { io: "input" })).replaceAll('"#/$defs/', '"#/components/schemas/');
  const {
    $schema: _,
    $defs = {},
    ...schema
  } = JSON.parse(text) as { $schema: string; $defs?: Record<string, unknown> };
  Object.assign(schemas, $defs);
  return schema;
}
