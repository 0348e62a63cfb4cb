import { proposalBody } from '../../lambdas/contracts/api-bodies.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import type { Instant } from '../../lambdas/domain/instant.ts';
import { answerCase } from '../client/answer-case.ts';
import { entryInEffect, MOST_CHANGES } from '../client/directory-entries.ts';
import { usage } from '../client/errors.ts';
import { askExchange } from '../client/exchange-time.ts';
import {
  after,
  checked,
  collect,
  countOption,
  durationOption,
  instantOption,
  jsonFrom,
  markOption,
  type MarkOption,
} from '../client/options.ts';
import type { AddCommand, Session } from '../client/session.ts';

interface Options {
  readonly from?: string;
  readonly document: readonly string[];
  readonly title: readonly string[];
  readonly mark: readonly MarkOption[];
  readonly pages: readonly number[];
  readonly recipient?: readonly string[];
  readonly condition: readonly string[];
  readonly notBefore?: Instant;
  readonly notAfter?: Instant;
  readonly for?: number;
  readonly copies: number;
}

/** The value for a document: its own, or the one that stands for all. */
function valueFor<T>(values: readonly T[], index: number, documents: number, option: string): T {
  const value = values.length === 1 ? values[0] : values[index];
  if (value === undefined || (values.length !== 1 && values.length !== documents)) {
    throw usage(
      `${documents} document(s) and ${values.length} ${option}.`,
      `Give ${option} once for all documents, or once for each in the order of --document.`,
    );
  }
  return value;
}

/** Recipients with the fingerprint of their confirmed key: the one named, else the only one the directory has. */
async function recipientsOf(session: Session, seen: CaseView, given: readonly string[] | undefined, at: Instant) {
  const named = (given ?? seen.request.recipients).map((text) => {
    const [personId = '', keyFingerprint] = text.split('=', 2);
    return { personId, keyFingerprint };
  });
  if (named.every((row) => row.keyFingerprint !== undefined)) return named;
  const { changes } = await session.api.listChanges({ query: { nation: seen.recipientNation, limit: MOST_CHANGES } });
  return named.map(({ personId, keyFingerprint }) => {
    if (keyFingerprint !== undefined) return { personId, keyFingerprint };
    const keys = entryInEffect(changes, personId, at)?.keys ?? [];
    if (keys[0] === undefined || keys.length > 1) {
      throw usage(
        `The directory shows ${keys.length} confirmed keys of ${personId}.`,
        `Name the key yourself: --recipient ${personId}=sha256:… (a fingerprint from valiza directory show ${personId}).`,
      );
    }
    return { personId, keyFingerprint: keys[0].fingerprint };
  });
}

/** propose: exactly what would be released, and how. */
export const addPropose: AddCommand = (program, act) => {
  program
    .command('propose')
    .description('put exactly what would be released; replaces an earlier proposal and voids its votes')
    .argument('<case>', 'id of the case')
    .option('--from <file>', 'JSON file of the whole proposal, or - for stdin, in place of the other options')
    .option('--document <deposit>', 'deposit to release; may be repeated', collect, [])
    .option('--title <text>', 'title of a document, in a line without any mark', collect, [])
    .option(
      '--mark <axis:mark>',
      'mark of a document',
      (text, rows: readonly MarkOption[]) => [...rows, markOption(text)],
      [],
    ) // prettier-ignore
    .option(
      '--pages <number>',
      'pages of a document',
      (text, rows: readonly number[]) => [...rows, countOption(text)],
      [],
    ) // prettier-ignore
    .option('--recipient <person[=fingerprint]>', 'who may open it (default: whom the request names)', collect)
    .option('--condition <text>', 'condition of the release; may be repeated', collect, [])
    .option('--not-before <instant>', 'when the release opens (default: now)', instantOption)
    .option('--not-after <instant>', 'when it ends', instantOption)
    .option('--for <duration>', 'how long it lasts, such as 72h or 30d, in place of --not-after', durationOption)
    .option('--copies <number>', 'how often each recipient may open it', countOption, 1)
    .action(
      act(async (session, options: Options, caseId: string) => {
        const body = await bodyOf(session, options, caseId);
        const seen = await session.api.putProposal({ params: { caseId }, body: checked(proposalBody, body) });
        answerCase(session, seen);
        session.out.hint(`two approvers now decide, each by themselves: valiza decide ${caseId} approve`);
      }),
    );
};

async function bodyOf(session: Session, options: Options, caseId: string): Promise<unknown> {
  if (options.from !== undefined) return jsonFrom(options.from, session.surroundings.stdin);
  const { document, title, mark, pages, condition, notBefore, copies } = options;
  if (document.length === 0) {
    throw usage('A proposal names at least one document.', `Deposit it first: valiza deposit ${caseId} <file>`);
  }
  if (title.length !== document.length) {
    throw usage(
      `${document.length} document(s) and ${title.length} title(s).`,
      'Give --title once for each --document, in the same order.',
    );
  }
  if ((options.notAfter === undefined) === (options.for === undefined)) {
    throw usage('A release has one end.', 'Give either --not-after or --for.');
  }
  const [seen, { at }] = await Promise.all([
    session.api.readCase({ params: { caseId } }),
    askExchange(session.connection),
  ]);
  return {
    documents: document.map((depositId, index) => ({
      depositId,
      title: title[index],
      marking: valueFor(mark, index, document.length, '--mark'),
      pages: valueFor(pages, index, document.length, '--pages'),
    })),
    recipients: await recipientsOf(session, seen, options.recipient, at),
    conditions: condition,
    ...(notBefore === undefined ? {} : { notBefore }),
    notAfter: options.notAfter ?? after(notBefore ?? at, options.for ?? 0),
    copies,
  };
}
