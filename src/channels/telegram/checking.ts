import type { Finding } from "../../core/channel.ts";
import { type Fields, fieldsOf, numberOf, textOf } from "./json-fields.ts";
import type { Failure, TelegramApi } from "./telegram-api.ts";

export interface ExpectedMode {
  readonly mode: "poll" | "webhook";
  readonly webhookUrl: string | undefined;
}

/** So many updates wait only when nobody takes them. */
const pendingMax = 100;

/** See `CheckedChannel.check`. */
export async function checkTelegram(
  api: TelegramApi,
  expected: ExpectedMode,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const me = await api.call("getMe", {}, { signal });
  if (me.kind !== "ok") return [failed("Telegram did not answer for this bot", me)];
  const bot = fieldsOf(me.result) ?? {};
  const findings = [fine(`the token is valid, the bot is @${textOf(bot.username) ?? "?"}`)];
  const info = await api.call("getWebhookInfo", {}, { signal });
  if (info.kind !== "ok") return [...findings, failed("the webhook could not be looked at", info)];
  return [...findings, ...webhookFindings(fieldsOf(info.result) ?? {}, expected)];
}

function webhookFindings(info: Fields, { mode, webhookUrl }: ExpectedMode): Finding[] {
  const findings = [modeFinding(textOf(info.url) ?? "", mode, webhookUrl)];
  const pending = numberOf(info.pending_update_count) ?? 0;
  if (pending > pendingMax) {
    findings.push(
      wrong(
        `${pending} updates wait at Telegram`,
        "Start Parley; if it runs, look into its log for why it takes none.",
      ),
    );
  } else findings.push(fine(`${pending} updates wait at Telegram`));
  const error = textOf(info.last_error_message);
  if (mode === "webhook" && error !== null) {
    const at = new Date((numberOf(info.last_error_date) ?? 0) * 1_000).toISOString();
    findings.push(
      wrong(
        `Telegram's last call failed at ${at}: ${error}`,
        "See that the address is open to the internet and its certificate is valid.",
      ),
    );
  }
  return findings;
}

/** Another program's address may hold its token, so only the host is shown. */
function modeFinding(url: string, mode: ExpectedMode["mode"], webhookUrl: string | undefined): Finding {
  const isSet = url !== "";
  const host = URL.parse(url)?.host ?? "an unreadable address";
  if (mode === "poll") {
    if (!isSet) return fine("no webhook is set, so that polling works");
    return wrong(
      `a webhook is set, to ${host}`,
      'Parley deletes it when it starts polling. To keep it, set "mode: webhook" or use another bot.',
    );
  }
  if (!isSet)
    return wrong(
      "no webhook is set",
      'Set "webhookUrl" to the address under which Telegram reaches this server, and start Parley.',
    );
  if (webhookUrl !== undefined && url !== webhookUrl) {
    return wrong(
      `the webhook is set to another address, at ${host}`,
      "Start Parley, which sets it anew; see that no other program sets it.",
    );
  }
  return fine(`the webhook is set, to ${host}`);
}

function failed(what: string, failure: Failure): Finding {
  if (failure.kind !== "refused") {
    return wrong(`${what}: ${failure.reason}`, 'Check the network, a proxy in between, and "apiRoot".');
  }
  const isToken = failure.code === 401 || failure.code === 404;
  const remedy = isToken ? 'Put the token that @BotFather shows under "token".' : "Try again later.";
  return wrong(`${what}: ${failure.code} ${failure.description}`, remedy);
}

function fine(message: string): Finding {
  return { ok: true, message, remedy: null };
}

function wrong(message: string, remedy: string): Finding {
  return { ok: false, message, remedy };
}
