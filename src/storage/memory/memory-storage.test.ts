import { storageContract } from "../../../test/contracts/storage.contract.ts";
import { MemoryStorage } from "./memory-storage.ts";

storageContract("MemoryStorage", (host) => new MemoryStorage(host));
