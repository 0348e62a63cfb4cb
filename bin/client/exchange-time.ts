import { fromEpoch, type Instant } from '../../lambdas/domain/instant.ts';
import { call, type Connection } from './api.ts';
import { unavailable } from './errors.ts';

/** What an exchange says of itself to anyone. */
export interface ExchangeNow {
  readonly environment: string;
  readonly nation: string;
  /** Its clock, to the second. A local exchange's may be ahead of this machine's. */
  readonly at: Instant;
}

/** Asks an exchange who it is and what time it has (RFC 9110 §6.6.1). */
export async function askExchange(connection: Connection): Promise<ExchangeNow> {
  const { answer, headers } = await call(connection, 'readHealth', {});
  const at = Date.parse(headers.get('date') ?? '');
  if (answer === undefined || Number.isNaN(at)) {
    throw unavailable(`${connection.exchange} does not say what time it has.`, 'Check --exchange, and try again.');
  }
  return { environment: answer.environment, nation: answer.nation, at: fromEpoch(at) };
}
