import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageContract } from "../../../test/contracts/storage.contract.ts";
import { openSqliteStorage } from "./sqlite-storage.ts";

storageContract("SqliteStorage", (host) =>
  openSqliteStorage({ folder: mkdtempSync(join(tmpdir(), "parley-sqlite-")), host, as: "server" }),
);
