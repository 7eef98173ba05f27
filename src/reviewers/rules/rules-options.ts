import { RE2JS } from "re2js";
import { z } from "zod";
import { limits } from "../../core/limits.ts";

const onFinding = z.enum(["hold", "reject", "redact", "off"]);

/** Programs, by the MIME types that platforms and browsers give them. */
const programTypes = [
  "application/x-msdownload",
  "application/x-msdos-program",
  "application/x-dosexec",
  "application/vnd.microsoft.portable-executable",
  "application/x-msi",
  "application/x-executable",
  "application/x-elf",
  "application/x-mach-binary",
  "application/x-sharedlib",
  "application/x-sh",
  "application/x-csh",
  "application/x-bat",
  "text/x-shellscript",
  "application/vnd.android.package-archive",
  "application/java-archive",
];

/** What stands under `review: rules:` in the configuration. */
export const rulesOptions = z.strictObject({
  block_patterns: z
    .array(z.string().min(1).max(1000).superRefine(mustCompile))
    .max(100)
    .default([])
    .describe("RE2 patterns, whatever the case. A message in which one matches is rejected, in both directions."),
  secrets: onFinding
    .default("hold")
    .describe("What becomes of an answer with a key, token or password: `hold`, `reject`, `redact` or `off`."),
  personal_data: onFinding
    .default("redact")
    .describe("The same for card numbers, IBANs and US social security numbers."),
  size: z
    .strictObject({
      text_max: z
        .int()
        .min(1)
        .max(limits.textMax)
        .default(20_000)
        .describe("Characters in all texts of a message together; a longer one is rejected."),
      file_bytes_max: z
        .int()
        .min(0)
        .max(limits.fileBytesMax)
        .default(limits.fileBytesMax)
        .describe("Bytes of a file; a message with a larger one is rejected."),
    })
    .prefault({}),
  blocked_mime_types: z
    .array(z.string().min(1).max(limits.labelMax).toLowerCase())
    .max(1000)
    .default(programTypes)
    .describe("Types of files that are rejected. Programs, when absent."),
  rate: z
    .strictObject({
      per_minute: z.int().min(0).default(60).describe("Messages of one person in a minute; 0 for any number."),
      per_hour: z.int().min(0).default(1000).describe("Messages of one person in an hour; 0 for any number."),
    })
    .prefault({}),
});

export type RulesOptions = z.output<typeof rulesOptions>;

function mustCompile(pattern: string, context: z.core.$RefinementCtx<string>): void {
  try {
    RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    context.addIssue({ code: "custom", message: `is not an RE2 pattern: ${(error as Error).message}` });
  }
}
