import type { Heard, Script } from "./said.ts";

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

interface SeenMessage {
  readonly from: string;
  readonly state: string;
  readonly parts: readonly { readonly text?: string }[];
}

/** Persons who write over the REST API, as a careful program does: the same message again until it is acknowledged. */
export class WebPersons {
  readonly #script: Script;
  readonly #key: string;
  readonly #address: () => Promise<string>;
  readonly #conversations = new Map<string, string>();
  readonly #posting = new Map<string, Promise<void>>();

  /** @param address Where the server is, as soon as it is up. */
  constructor(script: Script, key: string, address: () => Promise<string>) {
    this.#script = script;
    this.#key = key;
    this.#address = address;
  }

  /** Says something unless this person still waits for an acknowledgement. */
  say(person: string): void {
    if (this.#posting.has(person)) return;
    const { mark, text } = this.#script.short(person);
    const posted = this.#post({ person, text, clientId: mark }).finally(() => this.#posting.delete(person));
    this.#posting.set(person, posted);
  }

  /** Resolves when all that was said is acknowledged. */
  async acknowledged(): Promise<void> {
    await Promise.all(this.#posting.values());
  }

  /** What the bot's answers were, for each person in their order. */
  async heard(): Promise<readonly Heard[]> {
    const heard: Heard[] = [];
    for (const [chat, conversation] of this.#conversations) {
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = `limit=200${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
        const response = await this.#call(`/api/v1/conversations/${conversation}/messages?${query}`);
        const { items, next } = (await response.json()) as Page<SeenMessage>;
        const answers = items.filter(({ from, state }) => from === "bot" && state === "delivered");
        heard.push(...answers.map(({ parts }) => ({ chat, text: parts.map(({ text }) => text).join("") })));
        cursor = next;
      }
    }
    return heard;
  }

  async #post(message: { readonly person: string; readonly text: string; readonly clientId: string }): Promise<void> {
    for (;;) {
      try {
        const response = await this.#call("/api/v1/bots/demo/messages", {
          method: "POST",
          body: JSON.stringify(message),
        });
        if (response.status !== 202)
          throw new Error(`The server answered ${response.status}: ${await response.text()}`);
        const { conversation } = (await response.json()) as { conversation: string };
        this.#conversations.set(message.person, conversation);
        return;
      } catch (error) {
        // How `fetch` fails when there is no server, or no longer.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  async #call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#key}`, "content-type": "application/json" };
    return fetch(`${await this.#address()}${path}`, { ...init, headers });
  }
}
