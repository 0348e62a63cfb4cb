import { progressOn } from '../client/progress.ts';
import { labelled, size } from '../client/layout.ts';
import type { AddCommand, Session } from '../client/session.ts';
import { measureFile, upload } from '../client/upload.ts';

interface Deposited {
  readonly depositId: string;
  readonly file: string;
  readonly digest: string;
  readonly length: number;
}

async function deposit(session: Session, caseId: string, file: string): Promise<Deposited> {
  const { api, signal, surroundings, out } = session;
  const { digest, length } = await measureFile(file, signal);
  const opened = await api.openDeposit({ params: { caseId }, body: { digest, length } });
  const { depositId } = opened;
  if (opened.upload !== undefined) {
    const progress = progressOn(surroundings, out.json);
    progress.start(length);
    try {
      await upload(opened.upload, file, progress.add, signal);
    } finally {
      progress.stop();
    }
  }
  await api.completeDeposit({ params: { caseId, depositId }, body: {} });
  return { depositId, file, digest, length };
}

/** deposit: hands documents over; they are destroyed once sealed, refused or lapsed. */
export const addDeposit: AddCommand = (program, act) => {
  program
    .command('deposit')
    .description('hand over documents that a proposal is to release')
    .argument('<case>', 'id of the case')
    .argument('<file...>', 'the documents')
    .action(
      act(async (session, _options: object, caseId: string, files: readonly string[]) => {
        const deposits: Deposited[] = [];
        for (const file of files) deposits.push(await deposit(session, caseId, file));
        session.out.answer({ caseId, deposits }, (paint) =>
          deposits
            .map((row) =>
              labelled(
                [
                  ['Deposit', row.depositId],
                  ['File', row.file],
                  ['Length', size(row.length)],
                  ['Digest', row.digest],
                ],
                paint,
              ),
            )
            .join('\n\n'),
        );
        const documents = deposits.map((row) => `--document ${row.depositId} --title <title> --pages <pages>`);
        session.out.hint(`valiza propose ${caseId} ${documents.join(' ')} --mark <axis:mark> --for 72h`);
      }),
    );
};
