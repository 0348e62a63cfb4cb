import type { Nation } from './ids.ts';

/**
 * The agency of the canary, in either nation. Its people are a function of the exchange that carries an exercise case through now and then;
 * they and everybody else have nothing to do with each other's cases (docs/decisions).
 */
export const CANARY_AGENCY = 'valiza-canary';

const ISSUERS = 'urn:valiza:canary:';

/** Who signs for the canary's people of a nation: the exchange itself, and nobody's identity provider. */
export const canaryIssuer = (nation: Nation): string => `${ISSUERS}${nation}`;

/** The nation for whose canary an issuer signs; undefined for any other issuer. */
export const nationOfCanary = (issuer: string): Nation | undefined => {
  const nation = issuer.slice(ISSUERS.length);
  return isCanaryCredential(issuer) && /^[A-Z]{3}$/.test(nation) ? (nation as Nation) : undefined; // in the form of one
};

/** Whether a credential is one that the exchange signs for its canary, and so nobody else's. */
export const isCanaryCredential = (subject: string): boolean => subject.startsWith(ISSUERS);

export const isCanary = ({ agency }: { readonly agency: string }): boolean => agency === CANARY_AGENCY;

/** Whether a case is the canary's. */
export const isCanaryCase = ({ requestingAgency }: { readonly requestingAgency: string }): boolean =>
  requestingAgency === CANARY_AGENCY;

/** The one rule of the canary: its people take part in its cases, all of them, and in no other; everybody else in the others. */
export const takesPart = (state: { readonly requestingAgency: string }, person: { readonly agency: string }): boolean =>
  isCanary(person) === isCanaryCase(state);
