import { createHash, X509Certificate } from 'node:crypto';
import * as z from 'zod';

/** Why somebody is not let in: a code for the log. Who is refused is told nothing of it. */
export class NotAuthenticated extends Error {
  override readonly name = 'NotAuthenticated';
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** Thumbprints of the certificates that are let in, by nation; null where there is no mutual TLS. */
export const registrySchema = z.record(z.string(), z.array(z.string())).nullable();
type Registry = z.infer<typeof registrySchema>;

/** The confirmation claim of a token that is bound to a certificate (RFC 8705 §3.1). */
const confirmation = z.object({ 'x5t#S256': z.string() });

/** SHA-256 of the certificate's DER, base64url without padding (RFC 8705 §3.1). */
const thumbprintOf = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');

/**
 * Checks the certificate of a connection against the registry, and a token against the certificate. The gateway has verified the chain and
 * the validity; revocation is not looked at there, so the registry says who is let in, and for which nation.
 * https://aws.amazon.com/blogs/security/how-to-implement-client-certificate-revocation-list-checks-at-scale-with-api-gateway/
 * @param pem as the gateway passes it on; undefined where no certificate was shown
 * @throws NotAuthenticated
 */
export function checkCertificate(
  pem: string | undefined,
  token: { readonly nation: string; readonly cnf?: unknown },
  registry: Registry,
): void {
  const shown = pem === undefined ? undefined : thumbprintOf(pem);
  if (registry !== null) {
    if (shown === undefined) throw new NotAuthenticated('NO_CERTIFICATE');
    const nation = Object.keys(registry).find((name) => registry[name]?.includes(shown));
    if (nation === undefined) throw new NotAuthenticated('CERTIFICATE_NOT_REGISTERED');
    if (nation !== token.nation) throw new NotAuthenticated('CERTIFICATE_OF_ANOTHER_NATION');
    if (token.cnf === undefined) throw new NotAuthenticated('TOKEN_NOT_BOUND');
  }
  // A token that is bound is good for its certificate alone, also where none is asked for; another way of binding cannot be checked here.
  if (token.cnf === undefined) return;
  const bound = confirmation.safeParse(token.cnf).data?.['x5t#S256'];
  if (bound === undefined || bound !== shown) throw new NotAuthenticated('TOKEN_BOUND_ELSEWHERE');
}
