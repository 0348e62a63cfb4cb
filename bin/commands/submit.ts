import { submitBody } from '../../lambdas/contracts/api-bodies.ts';
import { answerCase } from '../client/answer-case.ts';
import { usage } from '../client/errors.ts';
import { checked, collect, given, jsonFrom, markOption, type MarkOption } from '../client/options.ts';
import type { AddCommand } from '../client/session.ts';

interface Options {
  readonly agreement?: string;
  readonly purpose?: string;
  readonly title?: string;
  readonly description?: string;
  readonly justification?: string;
  readonly level?: MarkOption;
  readonly recipient?: readonly string[];
  readonly language?: string;
  readonly reference?: string;
  readonly previousCase?: string;
}

/** submit: a request for information, from a file, from options, or from a file with options over it. */
export const addSubmit: AddCommand = (program, act) => {
  program
    .command('submit')
    .description('submit a request for information')
    .argument('[file]', 'JSON file of the request, or - for stdin; options stand over it')
    .option('--agreement <id>', 'agreement it is made under')
    .option('--purpose <code>', 'purpose that the agreement lists')
    .option('--title <text>', 'what is asked for, in a line without any mark')
    .option('--description <text>', 'what is asked for')
    .option('--justification <text>', 'why it is needed')
    .option('--level <axis:mark>', 'highest mark that is sought, as in "protected:PROTECTED A"', markOption)
    .option('--recipient <person>', 'who is to open it; may be repeated', collect)
    .option('--language <code>', 'en, fr or uk')
    .option('--reference <text>', 'solicitation or contract')
    .option('--previous-case <case>', 'earlier case that this one submits again')
    .action(
      act(async (session, options: Options, file: string | undefined) => {
        const { agreement, level, recipient, ...rest } = options;
        if (file === undefined && Object.keys(options).length === 0) {
          throw usage(
            'Nothing says what is asked for.',
            'Give a JSON file such as examples/exercise/request.json, or the options that valiza help submit lists.',
          );
        }
        const read = file === undefined ? {} : await jsonFrom(file, session.surroundings.stdin);
        const over = given({ ...rest, agreementId: agreement, levelSought: level, recipients: recipient });
        const body = checked(submitBody, typeof read === 'object' ? { ...read, ...over } : read);
        const seen = await session.api.submitRequest({ body });
        answerCase(session, seen);
        session.out.hint(`valiza wait ${seen.caseId} --for RELEASED`);
      }),
    );
};
