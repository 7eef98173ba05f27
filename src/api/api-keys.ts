import { randomBytes } from "node:crypto";
import type { ApiKey } from "../core/change.ts";
import type { Host } from "../core/host.ts";
import type { Store } from "../core/store.ts";
import { apiLimits } from "./api-limits.ts";

/** A new bearer key, and what is kept of it. The key itself is kept nowhere: show it once. */
export function newApiKey(name: string, host: Host): { readonly key: string; readonly apiKey: ApiKey } {
  const key = `parley_${randomBytes(32).toString("base64url")}`;
  const createdAt = Math.floor(host.clock.now());
  return { key, apiKey: { id: host.newId("key"), keyHash: host.hash(key), name, createdAt, revokedAt: null } };
}

/** Looks up bearer keys, and remembers the good ones for `apiLimits.keyCacheMs`. */
export class KeyRing {
  readonly #store: Pick<Store, "findApiKey">;
  readonly #host: Host;
  readonly #known = new Map<string, { readonly apiKey: ApiKey; readonly until: number }>();

  constructor(store: Pick<Store, "findApiKey">, host: Host) {
    this.#store = store;
    this.#host = host;
  }

  /** Undefined for a key that was never given out, or was revoked. Rejects with `StorageError`. */
  async find(key: string): Promise<ApiKey | undefined> {
    if (key === "" || key.length > apiLimits.keyMax) return undefined;
    const keyHash = this.#host.hash(key);
    const now = this.#host.clock.now();
    const known = this.#known.get(keyHash);
    if (known !== undefined && now < known.until) return known.apiKey;
    this.#known.delete(keyHash);
    const apiKey = await this.#store.findApiKey(keyHash);
    if (apiKey === undefined || apiKey.revokedAt !== null) return undefined;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= apiLimits.keyCacheMax) this.#known.delete(oldest);
    this.#known.set(keyHash, { apiKey, until: now + apiLimits.keyCacheMs });
    return apiKey;
  }
}
