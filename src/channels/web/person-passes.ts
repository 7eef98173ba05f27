import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SetupError } from "../../core/errors.ts";
import type { ChannelId } from "../../core/ids.ts";

/**
 * Who an anonymous person is: a random name that only they hold, signed so that nobody can make one up. Each bot knows
 * them by another name, so that two bots on one server cannot find out that they talk to the same person.
 */
export interface PersonPasses {
  /** A pass for somebody new. Whoever holds it is that person: it is a secret. */
  issue(): string;
  /** The person's name at this channel; undefined for what is no pass of ours. */
  personRef(channelId: ChannelId, pass: string | undefined): string | undefined;
  /** Proof that `facts` were told by us to this person; of no use to anybody else. */
  seal(channelId: ChannelId, personRef: string, facts: readonly string[]): string;
  isSealed(seal: string, channelId: ChannelId, personRef: string, facts: readonly string[]): boolean;
}

/**
 * @param secret At least 32 characters. With another secret everybody is somebody new.
 * @throws SetupError for a secret that is too short.
 */
export function createPersonPasses(secret: string): PersonPasses {
  if (secret.length < 32)
    throw new SetupError("The cookie secret must have at least 32 characters: generate a longer one.");
  // JSON keeps the facts apart, whatever characters are in them.
  const sign = (...facts: readonly string[]) =>
    createHmac("sha256", secret).update(JSON.stringify(facts)).digest("base64url");

  return {
    issue() {
      const name = randomBytes(16).toString("base64url");
      return `${name}.${sign("pass", name)}`;
    },
    personRef(channelId, pass) {
      const [name, signature, ...more] = pass?.split(".") ?? [];
      if (name === undefined || signature === undefined || more.length > 0) return undefined;
      if (!isSame(signature, sign("pass", name))) return undefined;
      return sign("person", channelId, name).slice(0, 22);
    },
    seal: (channelId, personRef, facts) => sign("seal", channelId, personRef, ...facts),
    isSealed: (seal, channelId, personRef, facts) => isSame(seal, sign("seal", channelId, personRef, ...facts)),
  };
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
