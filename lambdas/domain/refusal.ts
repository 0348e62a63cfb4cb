/**
 * Why a command was not accepted. `kind` is one of the closed set of errors (architecture §6); `code` is stable and free of language;
 * the message says what was wrong and what is allowed, `next` what to do.
 */
export interface Refusal {
  readonly refused: true;
  readonly kind: 'InvalidInput' | 'Forbidden' | 'Conflict';
  readonly code: string;
  readonly message: string;
  readonly next: string;
  /** JSON Pointer (RFC 6901) to the member of the command at fault, where there is one. */
  readonly pointer?: string;
  /** Rule id of the domain rules that says so, where there is one. */
  readonly rule?: string;
}

type Details = Omit<Refusal, 'refused' | 'kind'>;

/** The command itself is wrong; sending it again will not help. */
export const invalid = (details: Details): Refusal => ({ refused: true, kind: 'InvalidInput', ...details });

/** The caller may not do this. */
export const forbidden = (details: Details): Refusal => ({ refused: true, kind: 'Forbidden', ...details });

/** The case does not stand where the command assumes; read it again. */
export const conflict = (details: Details): Refusal => ({ refused: true, kind: 'Conflict', ...details });

export const isRefusal = (value: object): value is Refusal => 'refused' in value;
