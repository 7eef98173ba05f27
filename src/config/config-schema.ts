import { z } from "zod";
import { must } from "../core/errors.ts";
import { limits } from "../core/limits.ts";

/** What adapters let be configured, by name. Handed in, because the configuration knows no adapter. */
export interface AdapterSchemas {
  /** What stands beside `platform:` under a channel. */
  readonly platforms: Readonly<Record<string, z.ZodObject>>;
  /** What stands under `review:` by the reviewer's name. All have defaults. */
  readonly reviewers: Readonly<Record<string, z.ZodObject>>;
  /** What stands beside `type:` under an engine. */
  readonly models: Readonly<Record<string, z.ZodObject>>;
}

/** What adapters' schemas make, as one type: only the adapters know more. */
type Options = Record<string, unknown>;

const id = z.string().regex(/^[a-z0-9-]{1,40}$/, "is no name for this: take up to 40 of a-z, 0-9 and -");
/** For what is never part of an address: `support_agent`. */
const looseId = () =>
  z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, "is no name for this: take up to 40 of A-Z, a-z, 0-9, _ and -");
const shortText = z.string().min(1).max(limits.labelMax);
const prose = z.string().max(limits.textMax);

const server = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("Address to listen on. `0.0.0.0` opens it to the network."),
  port: z.int().min(0).max(65_535).default(7400).describe("Port to listen on; 0 lets the machine choose."),
  public_url: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null)
    .describe("How the outside reaches this server, for webhooks: `https://bots.example.com`."),
});

const storage = z.strictObject({
  type: z
    .enum(["local", "memory"])
    .default("local")
    .describe("`local` keeps everything in a folder; `memory` forgets all when the server stops."),
  local: z
    .strictObject({
      base_path: z
        .string()
        .min(1)
        .default("./data")
        .describe("Folder for the database, files and generated secrets, relative to this file."),
    })
    .prefault({}),
});

const log = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("The least that is logged."),
});

const route = z.strictObject({
  name: shortText.optional().describe("Shown where Parley says why; the keywords, or `default`, when absent."),
  keywords: z
    .array(shortText)
    .min(1)
    .max(100)
    .optional()
    .describe("One of them occurs in the message, whatever the case. Absent: every message."),
  agent: looseId().describe("Who answers: one of `agents`."),
  priority: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe("The highest that matches wins; among equals the first. 50, or 0 without keywords, when absent."),
});

const agent = z.strictObject({
  persona: z.strictObject({
    name: shortText.describe("What the agent calls itself."),
    role: prose.describe("What it is: `Support Specialist`."),
    personality: prose.default("").describe("How it talks."),
    instructions: prose.nullable().default(null).describe("What it is to do."),
    knowledge_base: z.array(prose).max(1000).default([]).describe("Facts it may use, one an entry."),
    constraints: z.array(prose).max(100).default([]).describe("What it must keep to, one an entry."),
  }),
  engine: looseId().describe("The model behind it: one of `engines`."),
});

/** The whole file. */
export function fileSchema({ platforms, reviewers, models }: AdapterSchemas) {
  const channel = chosenBy("platform", platforms, "The platform.");
  const engine = chosenBy("type", models, "The kind of model.");
  const review = z.strictObject(
    mapValues(reviewers, (options) => options.prefault({}).transform((all): Options => all)),
  );
  const bot = z.strictObject({
    name: shortText.optional().describe("Shown to people; the bot's id when absent."),
    quiet_ms: z
      .int()
      .min(0)
      .max(limits.quietMaxMs)
      .default(0)
      .describe("Wait until the conversation was quiet for this long, so that a burst of messages gets one answer."),
    channels: z.record(id, channel).describe("Where people reach the bot. Their id is `<bot>-<channel>`."),
    routes: z.array(route).min(1).max(1000).describe("Which message goes to which agent."),
    review: review.prefault({}),
  });
  return z.strictObject({
    server: server.prefault({}),
    storage: storage.prefault({}),
    log: log.prefault({}),
    bots: z.record(id, bot).refine((bots) => Object.keys(bots).length > 0, "needs at least one bot"),
    agents: z.record(looseId(), agent),
    engines: z.record(looseId(), engine),
  });
}

export type ParsedFile = z.output<ReturnType<typeof fileSchema>>;

/** JSON Schema of the file, for editors. Wherever a value is wanted, a `${VARIABLE}` may stand. */
export function configSchema(schemas: AdapterSchemas): Record<string, unknown> {
  return z.toJSONSchema(fileSchema(schemas), {
    io: "input",
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) !== "propertyNames") allowVariable(jsonSchema);
    },
  });
}

/** An object of one of these shapes, told apart by `key`. */
function chosenBy(key: string, shapes: Readonly<Record<string, z.ZodObject>>, description: string) {
  const [first, ...others] = Object.entries(shapes).map(([name, shape]) =>
    shape.safeExtend({ [key]: z.literal(name).describe(description) }),
  );
  must(first !== undefined, `No schema to choose from by "${key}" was given.`);
  return z.discriminatedUnion(key, [first, ...others]).transform((chosen): Options => chosen);
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function allowVariable(schema: z.core.JSONSchema.BaseSchema): void {
  const { type, default: fallback, description, ...bounds } = schema;
  const isScalar = type === "string" || type === "integer" || type === "number" || type === "boolean";
  const isFreeText = type === "string" && !bounds.enum && !bounds.pattern && !bounds.format;
  // What tells shapes apart stays plain, so that an editor can tell them apart.
  if (!isScalar || isFreeText || "const" in bounds) return;
  for (const key of Object.keys(schema)) Reflect.deleteProperty(schema, key);
  Object.assign(schema, {
    anyOf: [
      { type, ...bounds },
      { type: "string", pattern: "\\$\\{" },
    ],
  });
  if (fallback !== undefined) schema.default = fallback;
  if (description !== undefined) schema.description = description;
}
