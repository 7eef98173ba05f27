import type { FastifyRequest } from "fastify";
import { InputError } from "../core/errors.ts";
import type { KeyRing } from "./api-keys.ts";
import type { ApiRoute } from "./api-route.ts";

/**
 * Who calls: the name of the key that the request carries, empty where none is needed.
 *
 * @throws InputError `unauthorized`
 */
export async function authorize(request: FastifyRequest, access: ApiRoute["access"], keys: KeyRing): Promise<string> {
  if (access === "open" || (access === "local" && isFromThisMachine(request))) return "";
  const key = bearerOf(request);
  if (key === undefined) throw new InputError("unauthorized", 'Send a key: "Authorization: Bearer <key>".');
  const found = await keys.find(key);
  if (found !== undefined) return found.name;
  throw new InputError("unauthorized", "This key is not known, or was revoked. Make one with: parley key create.");
}

/** Never from the address: addresses are logged on their way. */
function bearerOf({ headers, ws }: FastifyRequest): string | undefined {
  const [, key] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  if (key !== undefined || !ws) return key;
  // A browser cannot set a socket's headers, but its protocols.
  const protocols = headers["sec-websocket-protocol"]?.split(",").map((protocol) => protocol.trim()) ?? [];
  return protocols.find((protocol) => protocol.startsWith("bearer."))?.slice("bearer.".length);
}

/** Not what a proxy on this machine passes on for others. */
function isFromThisMachine({ ip, headers }: FastifyRequest): boolean {
  if (headers.forwarded !== undefined || headers["x-forwarded-for"] !== undefined) return false;
  return ip === "::1" || /^(::ffff:)?127\./.test(ip);
}
