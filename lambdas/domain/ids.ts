/** Random identifiers (128 bits, 32 lower-case hexadecimal digits). They say nothing about what they name (principle P3). */
export type CaseId = string & { readonly __brand: 'CaseId' };
export type PersonId = string & { readonly __brand: 'PersonId' };
/** `sha256:` and 64 lower-case hexadecimal digits, over canonical JSON (RFC 8785) or over bytes. */
export type Digest = `sha256:${string}`;

/** ISO 3166-1 alpha-3. */
export type Nation = string & { readonly __brand: 'Nation' };

export const isCaseId = (text: string): text is CaseId => /^[0-9a-f]{32}$/.test(text);
