import { PassThrough } from 'node:stream';
import { run } from '../../bin/valiza.ts';
import type { Scene } from './exchange.ts';

/** Runs the client on an exchange, as whoever sits at the machine. */
export async function valizaOn(
  scene: Scene,
  ...argv: string[]
): Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }> {
  const texts = { stdout: '', stderr: '' };
  const stderr = new PassThrough();
  stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString('utf8')));
  const exit = await run(argv, {
    env: { VALIZA_EXCHANGE: scene.runtime.url },
    home: '/nonexistent',
    stdout: { write: (text: string) => (texts.stdout += text) },
    stderr,
    stdin: Object.assign(new PassThrough(), { isTTY: false }),
    signal: new AbortController().signal,
  });
  return { exit, ...texts };
}
