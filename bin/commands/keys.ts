import { fingerprintOf, defaultKeyPath, writeNewKey } from '../client/key-files.ts';
import { usage } from '../client/errors.ts';
import { labelled } from '../client/layout.ts';
import type { AddCommand } from '../client/session.ts';

/** keys new: a recipient's key pair. The private half never leaves the machine; the public one goes to a directory officer. */
export const addKeys: AddCommand = (program, act) => {
  const keys = program.command('keys').description('the key pair that opens what is released to you');
  keys
    .command('new')
    .description('make a key pair; prints the public key and its fingerprint')
    .option('--out <file>', 'where to write it (default: ~/.valiza/keys/<person>.json)')
    .option('--person <person>', 'whose it is (default: the person that --as names)')
    .action(
      act(async ({ options: { as }, surroundings: { home }, out }, options: { out?: string; person?: string }) => {
        const person = options.person ?? as;
        const path = options.out ?? (person === undefined ? undefined : defaultKeyPath(home, person));
        if (path === undefined) throw usage('Nothing says whose key it is.', 'Give --person or --out.');
        const { publicKey } = await writeNewKey(path, person);
        const fingerprint = fingerprintOf(publicKey);
        out.answer(
          { file: path, publicKey, fingerprint, ...(person === undefined ? {} : { person }) },
          (paint) =>
          labelled([['Public key', publicKey], ['Fingerprint', fingerprint], ['File', path]], paint), // prettier-ignore
        );
        out.note(
          'The file is yours alone: whoever has it can open what is released to you, and nobody can replace it.',
        );
        out.hint(`a directory officer proposes it: valiza directory propose-key ${person ?? '<person>'} ${publicKey}`);
      }),
    );
};
