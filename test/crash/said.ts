/** What a person said. `chat` is the platform's address of the conversation. */
export interface Said {
  readonly chat: string;
  /** In its text, and nowhere else. */
  readonly mark: string;
  readonly text: string;
}

/** What a person saw of the bot. */
export interface Heard {
  readonly chat: string;
  readonly text: string;
}

/** Almost the longest that Telegram lets a person write. Its answer is two messages. */
const longTextMax = 4_090;

/** What persons say, each message with a mark of its own by which its answer is known. */
export class Script {
  readonly said: Said[] = [];

  short(chat: string): Said {
    const mark = this.#nextMark();
    return this.#say({ chat, mark, text: `${mark} and no more` });
  }

  long(chat: string): Said {
    const mark = this.#nextMark();
    return this.#say({ chat, mark, text: `${mark} `.repeat(longTextMax / (mark.length + 1)).trim() });
  }

  #nextMark(): string {
    return `m${this.said.length + 1}x`;
  }

  #say(said: Said): Said {
    this.said.push(said);
    return said;
  }
}

/** The mark in what was said or in its answer; in a piece of it as well. */
export function markOf(text: string): string {
  return /\bm\d+x\b/.exec(text)?.[0] ?? "";
}

/** What the bot says to this, whole: the local model's words for a message that no keyword occurs in. */
export function answerTo({ text }: Said): string {
  return `[Echo]: I received your message: '${text}'. This is a test response from the local engine.`;
}
