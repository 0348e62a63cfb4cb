import { usualExchange } from './addresses.ts';
import type { Surroundings } from './surroundings.ts';

/** What of a command line decides who somebody is and where. */
interface Called {
  readonly exchange: string;
  readonly as?: string;
  readonly exercise?: string;
}

/**
 * Writes commands that are suggested so that they can be typed as they stand: the program as it was called here, for the same exchange.
 * What begins with a command is for whoever reads it, and names them too; in other texts the command is somebody else's.
 */
export function suggestionsFor({ exchange, as, exercise }: Called, env: Surroundings['env']): (text: string) => string {
  // npm sets it for what npx runs (https://docs.npmjs.com/cli/v11/using-npm/scripts#environment).
  const program = env['npm_lifecycle_event'] === 'npx' ? 'npx valiza' : 'valiza';
  const where = [
    ...(exchange === usualExchange(env) ? [] : ['--exchange', exchange]),
    ...(exercise === undefined ? [] : ['--exercise', exercise]),
  ];
  const line = (...who: readonly string[]): string => [program, ...who, ...where, ''].join(' ');
  const yours = line(...(as === undefined ? [] : ['--as', as]));
  const theirs = line();
  return (text) => text.replaceAll('valiza ', () => (text.startsWith('valiza ') ? yours : theirs));
}
