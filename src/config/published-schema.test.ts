import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { telegramOptions } from "../channels/telegram/telegram-channel.ts";
import { webOptions } from "../channels/web/web-channel.ts";
import { localModelOptions } from "../models/local/local-model.ts";
import { rulesOptions } from "../reviewers/rules/rules-options.ts";
import { configSchema } from "./config-schema.ts";

// After a change to the schema: PARLEY_WRITE=1 node --test src/config/published-schema.test.ts
const isWriting = process.env.PARLEY_WRITE === "1";
const schemaUrl = new URL("../../parley.schema.json", import.meta.url);
const docsUrl = new URL("../../docs/configuration.md", import.meta.url);

const schema = configSchema({
  platforms: { telegram: telegramOptions, web: webOptions },
  reviewers: { rules: rulesOptions },
  models: { local: localModelOptions },
});

test("parley.schema.json is what the code accepts", () => {
  if (isWriting) writeFileSync(schemaUrl, `${JSON.stringify(schema, null, 2)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(schemaUrl, "utf8")), JSON.parse(JSON.stringify(schema)));
});

test("docs/configuration.md lists every key with its type and its default", () => {
  const docs = readFileSync(docsUrl, "utf8");
  const between = /(?<=<!-- keys: generated -->\n)[\s\S]*(?=<!-- end of keys -->)/;
  const wanted = `\n${tables(schema).join("\n")}\n`;
  if (isWriting) writeFileSync(docsUrl, docs.replace(between, wanted));
  assert.equal(readFileSync(docsUrl, "utf8").match(between)?.[0], wanted);
});

interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

interface Table {
  readonly title: string;
  readonly rows: string[];
}

const nameOf: Readonly<Record<string, string>> = {
  bots: "<bot>",
  channels: "<channel>",
  agents: "<agent>",
  engines: "<engine>",
  responses: "<keyword>",
};

/** A table for each top-level key and for each shape that is chosen by `platform` or `type`. */
function tables(root: Schema): string[] {
  const found = Object.entries(root.properties ?? {}).flatMap(([key, part]) => {
    const top: Table = { title: `\`${key}\``, rows: [] };
    const all = [top];
    walk(part, key, { table: top, all, isRequired: false });
    return all.filter(({ rows }) => rows.length > 0);
  });
  return found.map(({ title, rows }) =>
    [`### ${title}`, "", "| key | type | default | |", "|---|---|---|---|", ...rows, ""].join("\n"),
  );
}

function walk(schema: Schema, path: string, place: { table: Table; all: Table[]; isRequired: boolean }): void {
  if (schema.oneOf) {
    for (const shape of schema.oneOf) {
      const [key, choice] = Object.entries(shape.properties ?? {}).find(([, { const: name }]) => name) ?? [];
      const table: Table = { title: `\`${path}\` with \`${key}: ${choice?.const}\``, rows: [] };
      place.all.push(table);
      walk(shape, path, { ...place, table });
    }
  } else if (schema.properties) {
    for (const [key, part] of Object.entries(schema.properties)) {
      walk(part, `${path}.${key}`, { ...place, isRequired: schema.required?.includes(key) ?? false });
    }
  } else if (schema.additionalProperties && typeOf(schema.additionalProperties) === null) {
    walk(schema.additionalProperties, `${path}.${nameOf[path.split(".").at(-1) ?? ""]}`, place);
  } else if (schema.items && typeOf(schema.items) === null) {
    walk(schema.items, `${path}[]`, place);
  } else if (schema.const === undefined) {
    const fallback = place.isRequired ? "required" : shown(schema.default);
    place.table.rows.push(`| \`${path}\` | ${typeOf(schema)} | ${fallback} | ${cell(schema.description)} |`);
  }
}

/** Null for what has keys of its own. */
function typeOf({ type, enum: values, anyOf, items, additionalProperties }: Schema): string | null {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  // The last is "or a variable", or "or nothing".
  if (anyOf?.[0]) return typeOf(anyOf[0]);
  if (type === "array" && items) return typeOf(items) && `list of ${typeOf(items)}`;
  if (type === "object" && additionalProperties) return `texts by ${nameOf.responses?.slice(1, -1)}`;
  const names: Record<string, string> = { string: "text", integer: "whole number", number: "number" };
  return type === undefined ? null : (names[type] ?? null);
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.length > 0) return `${value.length} entries`;
  return `\`${JSON.stringify(value)}\``;
}

/** As Markdown, where angle brackets outside of code would be tags. */
function cell(text = ""): string {
  return text.replaceAll(/`[^`]*`|</g, (piece) => (piece === "<" ? "&lt;" : piece));
}
