import { createInterface } from 'node:readline/promises';
import { usage } from './errors.ts';
import type { Surroundings } from './surroundings.ts';

/** Asks people; nothing is ever asked where nobody answers. */
export interface Prompt {
  /** Whether somebody is there to ask. */
  readonly possible: boolean;
  /** @throws ClientError (2) when there is nobody to ask, saying what to give instead */
  ask(question: string, instead: string): Promise<string>;
  /** Asks for a yes unless it was given before. @throws ClientError (2) for any other answer */
  confirm(question: string): Promise<void>;
}

/** @param options `input` false: never ask; `yes`: confirmed already, on the command line */
export function promptFor(
  { stdin, stderr, signal }: Surroundings,
  options: { readonly input: boolean; readonly yes: boolean },
): Prompt {
  const possible = options.input && stdin.isTTY === true;
  const ask = async (question: string, instead: string): Promise<string> => {
    if (!possible) throw usage('This needs an answer, and there is nobody to ask.', instead);
    const lines = createInterface({ input: stdin, output: stderr, terminal: true });
    const stopped = new AbortController();
    // readline takes Ctrl-C for itself.
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    lines.once('close', () => stopped.abort(usage('No answer was given.', instead)));
    try {
      return (await lines.question(`${question} `, { signal: AbortSignal.any([signal, stopped.signal]) })).trim();
    } catch (error) {
      signal.throwIfAborted();
      throw stopped.signal.aborted ? stopped.signal.reason : error;
    } finally {
      lines.close();
    }
  };
  return {
    possible,
    ask,
    async confirm(question) {
      if (options.yes) return;
      const answer = await ask(`${question} Type yes to go on:`, 'Give --yes if you are sure.');
      if (answer !== 'yes') throw usage('Not confirmed; nothing was done.', 'Run the command again and type yes.');
    },
  };
}
