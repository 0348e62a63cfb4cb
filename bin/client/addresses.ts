import { usage } from './errors.ts';

/** The exchange that is meant unless told. */
export const usualExchange = (env: Readonly<Record<string, string | undefined>>): string =>
  env['VALIZA_EXCHANGE'] ?? 'http://127.0.0.1:4610';

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Whether an exchange runs on this very machine, where the exercise is. */
export const isLoopback = (exchange: string): boolean => LOOPBACK.has(new URL(exchange).hostname);

/**
 * An address that a credential, a document or a key may travel to: https, or http to this very machine, where the exercise runs.
 * @param what names the address in the error
 */
export function safeAddress(text: string, what: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw usage(`${what} is not an address: ${text}`, 'Give an address such as https://exchange.example.');
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))) return url;
  throw usage(
    `${what} would travel unprotected to ${url.origin}.`,
    'Use https; plain http is only for an exchange on this machine (127.0.0.1).',
  );
}
