import { labelled, size, times } from '../client/layout.ts';
import { readKey } from '../client/key-files.ts';
import { progressOn } from '../client/progress.ts';
import type { AddCommand } from '../client/session.ts';

interface Options {
  readonly key?: string;
  readonly to: string;
  readonly force?: boolean;
  readonly idempotencyKey?: string;
}

/** open: fetches, verifies and decrypts a release, and acknowledges its receipt. */
export const addOpen: AddCommand = (program, act) => {
  program
    .command('open')
    .description('open a release: fetch, verify and decrypt it, and acknowledge its receipt; counts one copy')
    .argument('<case>', 'id of the case')
    .option('--key <file>', "your key pair (default: the exercise's, or ~/.valiza/keys/<person>.json)")
    .option('--to <folder>', 'where the documents go', '.')
    .option('--force', 'replace documents that are there')
    .option('--idempotency-key <key>', 'repeat an opening of the last ten minutes without counting another copy')
    .action(
      act(async (session, options: Options, caseId: string) => {
        const { api, out, signal, surroundings } = session;
        const key = await readKey(options.key ?? session.keyPath());
        // Loaded here: the encryption library takes longer to load than the other commands to run.
        const { openPackage } = await import('../client/open-package.ts');
        const opened = await openPackage(api, {
          caseId,
          key,
          folder: options.to,
          force: options.force === true,
          progress: progressOn(surroundings, out.json),
          idempotencyKey: options.idempotencyKey,
          signal,
        });
        out.answer(opened, (paint) =>
          [
            ...opened.documents.map(({ path, marking, length, digest }) =>
              labelled(
                [
                  ['Document', path],
                  ['Mark', `${marking.mark} (${marking.axis}, ${marking.nation})`],
                  ['Length', size(length)],
                  ['Digest', digest],
                ],
                paint,
              ),
            ),
            labelled(
              [
                ['Copy', String(opened.copy)],
                ['Until before', times(opened.notAfter)],
                ['Receipt', 'acknowledged'],
              ],
              paint,
            ),
          ].join('\n\n'),
        );
        out.note('Every document is the one that was decided on. Handle it as its mark and the conditions say.');
      }),
    );
};
