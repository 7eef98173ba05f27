/**
 * A whole server that kills itself: `node crash-child.ts <configuration> <point> <count> <marker>`, see `CrashPoint`.
 * Prints one line of JSON, `{url}`, when it is up.
 */
import { loadConfig } from "../../src/config/load-config.ts";
import { adapterSchemas, startServer } from "../../src/server.ts";
import { crashAt } from "./crash-point.ts";

const [path = "", point = "", count = "", marker = ""] = process.argv.slice(2);
const config = await loadConfig({ path, env: process.env, schemas: adapterSchemas });
const at = crashAt({ point, count: Number(count), marker });
const server = await startServer(config, { env: process.env, at });
process.once("SIGTERM", () => void server.stop());
console.log(JSON.stringify({ url: server.url }));
