import { askExchange } from '../client/exchange-time.ts';
import { usage } from '../client/errors.ts';
import type { AddCommand } from '../client/session.ts';

/** token: an access token of a person of the exercise, for other programs such as curl. */
export const addToken: AddCommand = (program, act) => {
  program
    .command('token')
    .description('print an access token of the person that --as names, good for ten minutes (exercise only)')
    .action(
      act(async ({ options, connection, out }) => {
        if (options.as === undefined || connection.credential === undefined) {
          throw usage('A token is for somebody.', 'Name a person of the exercise with --as.');
        }
        const { environment } = await askExchange(connection);
        const token = await connection.credential.token();
        out.answer({ token, person: options.as, audience: `valiza:${environment}` }, () => token);
      }),
    );
};
