import { z } from "zod";
import { type ApiRoute, defineRoute } from "./api-route.ts";
import { docsPage, pageHeaders } from "./home-page.ts";
import { openApiDocument } from "./openapi.ts";

/** The API about itself. */
export function documentRoutes(routes: readonly ApiRoute[]): readonly ApiRoute[] {
  const document = openApiDocument(routes);
  const page = docsPage(routes);
  return [
    defineRoute({
      method: "GET",
      path: "/api/openapi.json",
      name: "getOpenApi",
      summary: "The OpenAPI document.",
      access: "open",
      answers: { 200: z.record(z.string(), z.unknown()) },
      async handle() {
        return { status: 200, body: document };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/docs",
      name: "showDocs",
      summary: "The calls of the API, to be read.",
      access: "open",
      answers: { 200: "text/html" },
      async handle() {
        return { status: 200, body: page, headers: pageHeaders };
      },
    }),
  ];
}
