/** What the Bot API's methods take: core.telegram.org/bots/api. Only the methods that Parley and its tests call. */

export type ParamType = "integer" | "number" | "boolean" | "string" | "json" | "file";

export interface BotMethod {
  readonly required: Readonly<Record<string, ParamType>>;
  readonly optional: Readonly<Record<string, ParamType>>;
}

const sending = {
  business_connection_id: "string",
  message_thread_id: "integer",
  direct_messages_topic_id: "integer",
  disable_notification: "boolean",
  protect_content: "boolean",
  allow_paid_broadcast: "boolean",
  message_effect_id: "string",
  reply_parameters: "json",
  reply_markup: "json",
} as const;
const captioned = { ...sending, caption: "string", parse_mode: "string", caption_entities: "json" } as const;
const playing = { ...captioned, duration: "integer", width: "integer", height: "integer" } as const;

function fileMethod(field: string, optional: Readonly<Record<string, ParamType>> = captioned): BotMethod {
  return { required: { chat_id: "integer", [field]: "file" }, optional };
}

export const botMethods: Readonly<Record<string, BotMethod>> = {
  getMe: { required: {}, optional: {} },
  getUpdates: {
    required: {},
    optional: { offset: "integer", limit: "integer", timeout: "integer", allowed_updates: "json" },
  },
  setWebhook: {
    required: { url: "string" },
    optional: {
      secret_token: "string",
      allowed_updates: "json",
      max_connections: "integer",
      drop_pending_updates: "boolean",
    },
  },
  deleteWebhook: { required: {}, optional: { drop_pending_updates: "boolean" } },
  getWebhookInfo: { required: {}, optional: {} },
  getFile: { required: { file_id: "string" }, optional: {} },
  answerCallbackQuery: {
    required: { callback_query_id: "string" },
    optional: { text: "string", show_alert: "boolean", url: "string", cache_time: "integer" },
  },
  sendChatAction: {
    required: { chat_id: "integer", action: "string" },
    optional: { message_thread_id: "integer", business_connection_id: "string" },
  },
  sendMessage: {
    required: { chat_id: "integer", text: "string" },
    optional: { ...sending, parse_mode: "string", entities: "json", link_preview_options: "json" },
  },
  sendPhoto: fileMethod("photo"),
  sendVideo: fileMethod("video", playing),
  sendAnimation: fileMethod("animation", playing),
  sendAudio: fileMethod("audio", { ...playing, performer: "string", title: "string" }),
  sendVoice: fileMethod("voice", playing),
  sendDocument: fileMethod("document"),
  sendSticker: fileMethod("sticker", { ...sending, emoji: "string" }),
  sendLocation: {
    required: { chat_id: "integer", latitude: "number", longitude: "number" },
    optional: { ...sending, horizontal_accuracy: "number", live_period: "integer" },
  },
  sendContact: {
    required: { chat_id: "integer", phone_number: "string", first_name: "string" },
    optional: { ...sending, last_name: "string", vcard: "string" },
  },
};

/** A refusal in Telegram's words. */
export class BotApiError extends Error {
  override readonly name = "BotApiError";
  readonly code: number;
  readonly parameters: Record<string, unknown> | undefined;

  constructor(code: number, description: string, parameters?: Record<string, unknown>) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

export interface UploadedFile {
  readonly fileName: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

export type Params = Readonly<Record<string, unknown>>;

/**
 * The parameters by their types; forms carry all as text. Stricter than Telegram: it ignores parameters it does not
 * know, here they are a mistake.
 */
export function checkedParams(methodName: string, method: BotMethod, given: Params): Params {
  const checked: Record<string, unknown> = {};
  const known: Readonly<Record<string, ParamType>> = { ...method.required, ...method.optional };
  const attached = new Set(Object.values(given).map(attachedName));
  for (const [param, whole] of Object.entries(given)) {
    if (attached.has(param)) continue;
    const type = known[param];
    const name = type === "file" ? attachedName(whole) : null;
    const value = name === null ? whole : given[name];
    if (type === undefined) throw new BotApiError(400, `Bad Request: ${methodName} has no parameter "${param}"`);
    if (value !== undefined && value !== null) checked[param] = converted(param, type, value);
  }
  for (const param of Object.keys(method.required)) {
    if (checked[param] === undefined) throw new BotApiError(400, missingText(param));
  }
  return checked;
}

/** The name of the part that carries the file, for `attach://<name>`. */
function attachedName(value: unknown): string | null {
  return typeof value === "string" && value.startsWith("attach://") ? value.slice("attach://".length) : null;
}

function missingText(param: string): string {
  if (param === "chat_id") return "Bad Request: chat_id is empty";
  if (param === "text") return "Bad Request: message text is empty";
  return `Bad Request: parameter "${param}" is required`;
}

function converted(param: string, type: ParamType, value: unknown): unknown {
  const wrong = new BotApiError(400, `Bad Request: parameter "${param}" must be of type ${type}`);
  switch (type) {
    case "string":
      if (typeof value !== "string") throw wrong;
      return value;
    case "integer":
    case "number": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      const isRight = typeof number === "number" && (type === "integer" ? Number.isSafeInteger(number) : true);
      if (!isRight || !Number.isFinite(number)) throw wrong;
      return number;
    }
    case "boolean":
      if (value === true || value === "true" || value === "True") return true;
      if (value === false || value === "false" || value === "False") return false;
      throw wrong;
    case "json":
      if (typeof value !== "string") return value;
      try {
        return JSON.parse(value);
      } catch {
        throw wrong;
      }
    case "file":
      return value;
  }
}
