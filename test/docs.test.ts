import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createMetrics } from "../src/api/metrics.ts";
import { problemCodes } from "../src/api/problems.ts";
import { limits } from "../src/core/limits.ts";
import { messageMoves } from "../src/core/message.ts";
import { codesIn, documents, readDocument, root, tableRows } from "./docs/documents.ts";
import { limitText } from "./docs/limit-text.ts";

const sources = globSync("src/**/*.ts", { cwd: root })
  .filter((path) => !path.endsWith(".test.ts"))
  .map((path) => readFileSync(join(root, path), "utf8"));
const source = sources.join("\n");

test("every move of docs/journey.md is one that the code has, and no other is missing", () => {
  const { text } = readDocument("docs/journey.md");
  const drawn = [...text.matchAll(/^ *(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} → ${to}`);
  const moves = Object.entries(messageMoves).flatMap(([from, targets]) => targets.map((to) => `${from} → ${to}`));
  assert.deepEqual(drawn.toSorted(), moves.toSorted());
});

test("docs/journey.md draws an end where no move leads on", () => {
  const { text } = readDocument("docs/journey.md");
  const drawn = [...text.matchAll(/^ *(\w+) --> \[\*\]/gm)].map(([, state]) => state);
  const ends = Object.entries(messageMoves).flatMap(([state, targets]) => (targets.length === 0 ? [state] : []));
  assert.deepEqual(drawn.toSorted(), ends.toSorted());
});

test("every part and its fields are in docs/journey.md", () => {
  const documented = tableRows(readDocument("docs/journey.md"), "kind", "fields").map(([kind = "", fields = ""]) => [
    codesIn(kind)[0],
    codesIn(fields),
  ]);
  const code = readFileSync(join(root, "src/core/part.ts"), "utf8");
  const parts = [...code.matchAll(/interface \w+Part \{([^}]+)\}/g)].map(([, body = ""]) => [
    /kind: "(\w+)"/.exec(body)?.[1],
    [...body.matchAll(/readonly (\w+):/g)].map(([, field]) => field).filter((field) => field !== "kind"),
  ]);
  assert.deepEqual(documented, parts);
});

test("every word of the glossary is used in the code", () => {
  const glossary = readDocument("GLOSSARY.md");
  const words = [...tableRows(glossary, "word", "is"), ...tableRows(glossary, "verb", "means")].map(
    ([word = ""]) => word,
  );
  assert.ok(words.length > 40, "the tables were not found");
  const unused = words.filter((word) => !new RegExp(`\\b${word.replace("take a turn", "takeTurn")}`, "i").test(source));
  assert.deepEqual(unused, []);
});

test("the table of limits is what the code has", () => {
  const documented = tableRows(readDocument("docs/operations.md"), "limit", "value").map(([name = "", value]) => [
    codesIn(name)[0],
    value,
  ]);
  assert.deepEqual(
    documented,
    Object.entries(limits).map(([name, value]) => [name, limitText(name, value)]),
  );
});

test("every limit that a document names exists", () => {
  for (const { path, text } of documents()) {
    for (const [, name = ""] of text.matchAll(/\blimits\.(\w+)/g)) {
      if (name !== "ts") assert.ok(name in limits, `${path} names limits.${name}`);
    }
  }
});

test("the table of metrics is what the server shows, and no document names another", async () => {
  const shown = [...(await createMetrics().render(undefined)).matchAll(/^# TYPE (parley_\w+) (\w+)$/gm)];
  const documented = tableRows(readDocument("docs/operations.md"), "metric", "kind");
  assert.deepEqual(
    documented.map(([name = "", kind]) => [codesIn(name)[0], kind]).toSorted(),
    shown.map(([, name, kind]) => [name, kind]).toSorted(),
  );
  const names = new Set(shown.map(([, name]) => name));
  for (const { path, text } of documents()) {
    for (const [name] of text.matchAll(/\bparley_\w+_(?:total|seconds|jobs|waiting)\b/g))
      assert.ok(names.has(name), `${path} names ${name}`);
  }
});

test("the table of problem codes is what the HTTP interface answers", () => {
  const documented = tableRows(readDocument("docs/errors.md"), "code", "status").map(([code = "", status]) => [
    codesIn(code)[0],
    Number(status),
  ]);
  assert.deepEqual(documented.toSorted(), Object.entries(problemCodes).toSorted());
});

test("the table of errors has every class of core, and none that is not there", () => {
  const documented = tableRows(readDocument("docs/errors.md"), "class", "thrown by").flatMap(([name = ""]) =>
    codesIn(name),
  );
  const classesOf = (text: string) => [...text.matchAll(/export class (\w+) extends Error/g)].map(([, name]) => name);
  const core = globSync("src/core/*.ts", { cwd: root }).flatMap((path) =>
    classesOf(readFileSync(join(root, path), "utf8")),
  );
  assert.deepEqual(
    core.filter((name) => !documented.includes(name ?? "")),
    [],
  );
  assert.deepEqual(
    documented.filter((name) => !classesOf(source).includes(name)),
    [],
  );
});

test("the kinds of failures of a delivery are those of the code", () => {
  const documented = tableRows(readDocument("docs/errors.md"), "`failure.kind`").flatMap(([kind = ""]) =>
    codesIn(kind),
  );
  const [, union = ""] = /type DeliveryFailure =([\s\S]*?);\n\n/.exec(source) ?? [];
  assert.deepEqual(
    documented,
    [...union.matchAll(/kind: "(\w+)"/g)].map(([, kind]) => kind),
  );
});

test("links lead to pages and headings that are there", () => {
  const broken = documents().flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link))
      .map((link) => `${path} → ${link}`),
  );
  assert.deepEqual(broken, []);
});

test("every decision is in the list of decisions", () => {
  const { text } = readDocument("docs/decisions/README.md");
  for (const path of globSync("docs/decisions/0*.md", { cwd: root })) {
    assert.ok(text.includes(`(${path.slice("docs/decisions/".length)})`), path);
  }
});

test("every file and folder that a document names is there", () => {
  const missing = documents().flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|test|bench|docs)\/[\w./-]+)`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !existsSync(join(root, name)))
      .map((name) => `${path} names ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("every test that a document says to run is there", () => {
  const tests = globSync(["src/**/*.test.ts", "test/**/*.test.ts"], { cwd: root });
  for (const { path, text } of documents()) {
    for (const [, parts = ""] of text.matchAll(/`?npm test -- ([\w/. -]+)/g)) {
      for (const part of parts.trim().split(/\s+/)) {
        assert.ok(
          tests.some((file) => file.includes(part)),
          `${path}: npm test -- ${part} runs nothing`,
        );
      }
    }
  }
});

test("the layout and the import law of ARCHITECTURE.md name every folder of src, and none that is not there", () => {
  const document = readDocument("ARCHITECTURE.md");
  const law = tableRows(document, "folder", "may import").flatMap(([folder = ""]) => codesIn(folder));
  const there = globSync("src/*", { cwd: root, exclude: ["src/*.test.ts"] }).map((path) => path.slice("src/".length));
  assert.deepEqual(law.toSorted(), there.toSorted());
  for (const name of there) assert.match(document.text, new RegExp(`^  ${name.replace(".", "\\.")}/? `, "m"));
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = "", heading] = link.split("#");
  const target = file === "" ? from : join(dirname(from), file);
  return existsSync(join(root, target)) && (heading === undefined || headingsOf(target).includes(heading));
}

function headingsOf(path: string): readonly string[] {
  return [...readDocument(path).text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(/\s/g, "-"),
  );
}
