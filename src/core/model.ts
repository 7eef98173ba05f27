/** A language model. Grows with tools, streaming and structured output; this is what an agent's plain answer takes. */
export interface Model {
  /** `local`. */
  readonly name: string;
  /** Messages of history that it makes use of; 0 spares their reading. */
  readonly historyMax: number;
  /** Throws `ModelError`. */
  generate(prompt: Prompt, signal: AbortSignal): Promise<ModelAnswer>;
}

export interface Prompt {
  readonly persona: Persona;
  /** Oldest first; the last is what is to be answered. */
  readonly messages: readonly PromptMessage[];
}

export interface PromptMessage {
  readonly role: "person" | "bot";
  readonly text: string;
}

/** Who an agent is. */
export interface Persona {
  readonly name: string;
  readonly role: string;
  readonly personality: string;
  readonly instructions: string | null;
  readonly knowledge: readonly string[];
  readonly constraints: readonly string[];
}

interface ModelAnswer {
  /** What the bot says, a message each. An empty text is not said. */
  readonly texts: readonly string[];
}
