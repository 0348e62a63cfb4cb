import { PassThrough } from 'node:stream';
import { run } from '../../bin/valiza.ts';

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the client on an exchange of this machine, where nobody is there to be asked. */
export async function runClient(exchange: string, ...argv: readonly string[]): Promise<Ran> {
  const texts = { stdout: '', stderr: '' };
  const stderr = new PassThrough();
  stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString('utf8')));
  const exit = await run([...argv], {
    env: { VALIZA_EXCHANGE: exchange },
    home: '/nonexistent',
    stdout: { write: (text: string) => (texts.stdout += text) },
    stderr,
    stdin: Object.assign(new PassThrough(), { isTTY: false }),
    signal: new AbortController().signal,
  });
  return { exit, ...texts };
}
