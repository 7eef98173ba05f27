import { createHmac, randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SetupError } from "../core/errors.ts";
import type { ChannelId } from "../core/ids.ts";

/** What this installation keeps to itself. Never logged. */
export interface Secrets {
  /** Signs what the web chat hands to browsers. */
  readonly cookieSecret: string;
  /** What a platform must show with each webhook call, 43 characters of A-Z a-z 0-9 _ -. The same after a restart. */
  webhookSecret(channelId: ChannelId): string;
}

const secretsFile = z.strictObject({ cookieSecret: z.string().length(43), webhookKey: z.string().length(43) });

/**
 * Reads `<folder>/secrets.json`, which is made at the first start and readable by its owner only. Two processes that
 * start at once agree. Throws `SetupError` when it cannot be read, written or understood.
 */
export async function loadSecrets(folder: string): Promise<Secrets> {
  const path = join(folder, "secrets.json");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { cookieSecret, webhookKey } = (await readSecrets(path)) ?? (await createSecrets(folder, path));
    return {
      cookieSecret,
      webhookSecret: (channelId) => createHmac("sha256", webhookKey).update(channelId).digest("base64url"),
    };
  } catch (cause) {
    if (cause instanceof SetupError) throw cause;
    const remedy = "Give the user that Parley runs as the right to read and write there, or set PARLEY_DATA_DIR.";
    throw new SetupError(`Cannot use ${path}. ${remedy}`, { cause });
  }
}

async function readSecrets(path: string): Promise<z.output<typeof secretsFile> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  const parsed = secretsFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new SetupError(
    `${path} is damaged. Restore it from a backup. If you delete it, new secrets are made: ` +
      "visitors of the web chat then start afresh, and webhooks must be registered again.",
  );
}

/** Writes a whole file beside it and links it into place: whoever is second finds the first one's. */
async function createSecrets(folder: string, path: string): Promise<z.output<typeof secretsFile>> {
  const secret = () => randomBytes(32).toString("base64url");
  const draft = join(folder, `secrets.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(`${JSON.stringify({ cookieSecret: secret(), webhookKey: secret() })}\n`);
    await file.sync();
    await link(draft, path);
    await using entries = await open(folder, "r");
    await entries.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const secrets = await readSecrets(path);
  if (secrets === undefined) throw new SetupError(`${path} was removed while Parley started. Start it again.`);
  return secrets;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
