import type { ChannelId } from "./ids.ts";
import { plainText } from "./part.ts";
import type { ReviewedMessage } from "./reviewed.ts";

/** When … then this engine. Data, so that a screen can show it and the API can edit it. */
export interface Route {
  readonly name: string;
  /** Every condition that is given must hold. None given: always. */
  readonly when: {
    /** One of them occurs in the text, whatever the case. */
    readonly keywords?: readonly string[];
    readonly channelId?: ChannelId;
  };
  /** `agent:assistant`. */
  readonly engine: string;
  /** The highest that matches wins; among equals the first. */
  readonly priority: number;
}

/** The route for a message; undefined when none matches. `routes` are in order of priority. */
export function pickRoute(
  routes: readonly Route[],
  channelId: ChannelId,
  message: ReviewedMessage<"inbound">,
): Route | undefined {
  return routes.find(({ when }) => {
    if (when.channelId !== undefined && when.channelId !== channelId) return false;
    if (when.keywords === undefined) return true;
    const text = plainText(message.parts).toLowerCase();
    return when.keywords.some((keyword) => text.includes(keyword.toLowerCase()));
  });
}
