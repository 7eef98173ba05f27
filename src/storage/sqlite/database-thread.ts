/**
 * The thread that owns the connection. All calls that wait while a commit runs go into the next one: under load one
 * write to the disk serves hundreds of calls.
 */
import type { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { must, SetupError } from "../../core/errors.ts";
import type { Call } from "./calls.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Database } from "./database.ts";
import { describeTrouble } from "./database-trouble.ts";
import { endLeases, openDatabase } from "./open-database.ts";
import type { FromThread, ToThread } from "./thread-link.ts";

/** Calls that one commit takes at most: their callers go on while the next commit is under way. */
const commitMax = 256;

const { path, isOnlyServer } = workerData as { path: string; isOnlyServer: boolean };
must(parentPort !== null, "This file is a thread's, not a program's.");
const port = parentPort;

function reply(message: FromThread): void {
  port.postMessage(message);
}

try {
  const connection = openDatabase(path);
  if (isOnlyServer) endLeases(connection);
  const database = new Database(connection, path);
  const checkpoints = new Checkpoints(connection, path);
  reply({ kind: "opened" });
  port.on("message", (first: ToThread) => {
    const calls: Call[] = [];
    let message: ToThread | undefined = first;
    for (; message?.kind === "calls"; message = nextMessage(calls.length)) {
      for (const call of message.calls) calls.push(JSON.parse(call));
    }
    for (let at = 0; at < calls.length; at += commitMax) {
      const answers = database.answer(calls.slice(at, at + commitMax));
      reply({ kind: "replies", replies: answers.map((answer) => JSON.stringify(answer)) });
      checkpoints.committed();
    }
    if (message?.kind === "close") void close(connection, checkpoints);
  });
} catch (error) {
  const message = error instanceof SetupError ? error.message : describeTrouble(error, path);
  reply({ kind: "refused", message, cause: String(error) });
}

/** The last connection to close empties the log. */
async function close(connection: DatabaseSync, checkpoints: Checkpoints): Promise<void> {
  await checkpoints.close();
  connection.close();
  port.close();
}

function nextMessage(callCount: number): ToThread | undefined {
  return callCount >= commitMax ? undefined : receiveMessageOnPort(port)?.message;
}
