/** The thread that copies the log into the database: see `Checkpoints`. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

const { path } = workerData as { path: string };
const database = new DatabaseSync(path, { timeout: 0 });
database.exec("PRAGMA synchronous = FULL");

parentPort?.on("message", (message: "copy" | "close") => {
  if (message === "copy") {
    try {
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // A disk in trouble: the next commit meets it too, and tells.
    }
    parentPort?.postMessage("copied");
  } else {
    database.close();
    parentPort?.close();
  }
});
