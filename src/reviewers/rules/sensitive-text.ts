import { fold, foldWithPlaces } from "./folded-text.ts";
import { findCards, findIbans, type Range } from "./personal-numbers.ts";

export type Family = "secret" | "personal";

export interface Finding {
  readonly family: Family;
  /** `card number`. */
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

interface Detector {
  readonly family: Family;
  readonly what: string;
  find(folded: string): Iterable<Range>;
}

/** What stood right before or after something that was taken out may only show then. */
const redactRoundsMax = 10;

const pem = "[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----";
const passwordWords = "passw(?:or)?[dt]|passphrase|pwd|mot de passe|contrasena|senha|пароль|密码|パスワート";

/** Every repetition is bounded, or cannot fail after it, or can only begin once in what it runs over: time stays linear. */
const detectors: readonly Detector[] = [
  secret("private key", RegExp(String.raw`-----BEGIN ${pem}[\s\S]*?(?:-----END ${pem}|(?![\s\S]))`, "g")),
  secret("AWS key", /(?<![A-Za-z0-9])A[KS]IA[0-9A-Z]{16}/g),
  secret("AWS key", /aws_secret_access_key["' ]{0,3}[=:]["' ]{0,3}[\w/+=]{40,}/gi),
  secret("API key", /(?<![A-Za-z0-9])sk-[\w-]{20,}/g),
  secret("GitHub token", /gh[a-z]_[A-Za-z0-9]{36,}|github_pat_\w{22,}/g),
  secret("Slack token", /xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|hooks\.slack\.com\/services\/[\w/]{20,}/g),
  secret("Telegram bot token", /\d{6,12}:[\w-]{35,}/g),
  secret("Stripe key", /[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,}/g),
  secret("Google key", /AIza[\w-]{35,}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}/g),
  secret("signed token", /(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g),
  secret(
    "password",
    RegExp(
      String.raw`(?:${passwordWords}) {0,3}(?:is {0,3})?[:=]\s{0,3}["'\x60]?(?!https?:)(?=\S{0,99}[\d!@#$%^&+=?~])[^\s"'\x60\[<(*]\S{3,99}`,
      "gi",
    ),
  ),
  { family: "personal", what: "card number", find: findCards },
  { family: "personal", what: "IBAN", find: findIbans },
  {
    family: "personal",
    what: "social security number",
    find: (text) => ranges(text, /(?<!\d)(?!000|666|9)\d{3}[ -](?!00)\d{2}[ -](?!0000)\d{4}(?!\d)/g),
  },
];

/** Matches wherever a detector may: most texts are cleared by this one look. */
const suspicious = RegExp(
  [
    "PRIVATE KEY|A[KS]IA|aws_secret|sk-|gh[a-z]_|github_pat_|xox[a-z]-|xapp-|hooks\\.slack|k_live_|k_test_|whsec_",
    `AIza|GOCSPX-|ya29\\.|eyJ|\\d:[\\w-]{35}|${passwordWords}`,
    String.raw`\d(?:[\s.\-_]{0,3}\d){8}|[A-Z]{2}\d{2}[\s.-]{0,3}[A-Z0-9]`,
  ].join("|"),
  "i",
);

/** Secrets and personal numbers in a text, in order, overlapping ones as one. */
export function findSensitive(text: string, families: ReadonlySet<Family>): Finding[] {
  if (!suspicious.test(fold(text))) return [];
  const folded = foldWithPlaces(text);
  const found: Finding[] = [];
  for (const { family, what, find } of detectors) {
    if (!families.has(family)) continue;
    for (const [foldedStart, foldedEnd] of find(folded.text)) {
      const [start, end] = folded.original(foldedStart, foldedEnd);
      found.push({ family, what, start, end });
    }
  }
  return merge(found.sort((a, b) => a.start - b.start || b.end - a.end));
}

/** The text with each of them replaced by what it was: `[card number removed]`. Nothing is found in it any more. */
export function redact(text: string, families: ReadonlySet<Family>): string {
  let redacted = text;
  for (let round = 0; round < redactRoundsMax; round += 1) {
    const findings = findSensitive(redacted, families);
    if (findings.length === 0) return redacted;
    redacted = replace(redacted, findings);
  }
  return "[text removed]";
}

function replace(text: string, findings: readonly Finding[]): string {
  let replaced = "";
  let end = 0;
  for (const finding of findings) {
    replaced += `${text.slice(end, finding.start)}[${finding.what} removed]`;
    end = finding.end;
  }
  return replaced + text.slice(end);
}

function secret(what: string, pattern: RegExp): Detector {
  return { family: "secret", what, find: (text) => ranges(text, pattern) };
}

function* ranges(text: string, pattern: RegExp): Generator<Range> {
  for (const match of text.matchAll(pattern)) yield [match.index, match.index + match[0].length];
}

function merge(sorted: readonly Finding[]): Finding[] {
  const merged: Finding[] = [];
  for (const finding of sorted) {
    const last = merged.at(-1);
    if (last === undefined || finding.start >= last.end) merged.push(finding);
    else merged[merged.length - 1] = { ...last, end: Math.max(last.end, finding.end) };
  }
  return merged;
}
