import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from "yaml";

/** Something that must be mended, and where. */
export interface Problem {
  /** From 1; null when it is not in the file but in the environment. */
  readonly place: { readonly line: number; readonly column: number } | null;
  /** `bots.demo.routes[0].agent`; empty where there is no key to name. */
  readonly path: string;
  readonly message: string;
}

export type Path = readonly (string | number)[];

/** Each stands for one value only, so that a small file cannot unfold into a huge one. */
const aliasesMax = 100;

/** A YAML text that knows the place of each of its values. */
export class YamlFile {
  readonly #lines = new LineCounter();
  readonly #document;

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
  }

  /** What is wrong with the YAML itself. While there is any, the other methods are not to be used. */
  syntaxProblems(): Problem[] {
    const { errors, warnings } = this.#document;
    // The first mistake makes what follows look wrong too.
    const problems = [...errors, ...warnings].slice(0, 3).map(({ message, pos: [offset] }) => {
      // What stands after the colon is a piece of the file, which may be a secret.
      const what = message.replace(/:.*$|(?<=escape sequence).*$/s, "").trim();
      return this.#problem(offset, [], `This is not valid YAML: ${what}.`);
    });
    if (problems.length > 0) return problems;
    try {
      this.value();
    } catch {
      const what = `An alias (*name) has no anchor (&name) before it, or they unfold into more than ${aliasesMax} values.`;
      problems.push(this.#problem(0, [], `${what} Write the values out.`));
    }
    return problems;
  }

  /** The file as plain data. */
  value(): unknown {
    return this.#document.toJS({ maxAliasCount: aliasesMax });
  }

  /** Every text that is a value, not a key. Setting `scalar.value` changes what `value` returns. */
  texts(): { readonly scalar: Scalar<string>; readonly path: Path }[] {
    const found: { scalar: Scalar<string>; path: Path }[] = [];
    const walk = (node: unknown, path: Path): void => {
      if (isMap(node)) for (const { key, value } of node.items) walk(value, [...path, keyName(key)]);
      else if (isSeq(node)) for (const [index, item] of node.items.entries()) walk(item, [...path, index]);
      else if (isScalar(node) && typeof node.value === "string") found.push({ scalar: node as Scalar<string>, path });
    };
    walk(this.#document.contents, []);
    return found;
  }

  /** The scalar at a path; undefined where there is none. */
  scalarAt(path: Path): Scalar | undefined {
    const { node, isThere } = this.#find(path);
    return isThere && isScalar(node) ? node : undefined;
  }

  /** A problem with the value at a path, or with what should contain it. */
  problemAtValue(path: Path, message: string): Problem {
    return this.#problem(this.#find(path).valueOffset, path, message);
  }

  /** A problem with the key that a path ends with. */
  problemAtKey(path: Path, message: string): Problem {
    return this.#problem(this.#find(path).keyOffset, path, message);
  }

  /** Follows a path through maps, lists and aliases as far as it goes. */
  #find(path: Path): { node: Node | null; isThere: boolean; keyOffset: number; valueOffset: number } {
    let node = this.#resolve(this.#document.contents);
    let keyOffset = offsetOf(node) ?? 0;
    let valueOffset = keyOffset;
    for (const step of path) {
      const pair = isMap(node) ? node.items.find(({ key }) => keyName(key) === step) : undefined;
      const next = isSeq(node) && typeof step === "number" ? node.items[step] : pair?.value;
      if (pair === undefined && next === undefined) return { node, isThere: false, keyOffset, valueOffset: keyOffset };
      keyOffset = offsetOf(pair?.key) ?? offsetOf(next) ?? keyOffset;
      valueOffset = offsetOf(next) ?? keyOffset;
      node = this.#resolve(next);
    }
    return { node, isThere: true, keyOffset, valueOffset };
  }

  #resolve(node: unknown): Node | null {
    if (isAlias(node)) return node.resolve(this.#document) ?? null;
    return isNode(node) ? node : null;
  }

  #problem(offset: number, path: Path, message: string): Problem {
    const { line, col } = this.#lines.linePos(offset);
    return { place: { line: Math.max(line, 1), column: Math.max(col, 1) }, path: showPath(path), message };
  }
}

/** `bots.demo.routes[0].agent`. */
export function showPath(path: Path): string {
  return path.map((step, depth) => (typeof step === "number" ? `[${step}]` : depth === 0 ? step : `.${step}`)).join("");
}

function keyName(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
