import { digestOfBytes } from './digest.ts';

/**
 * The canary's recipient opens packages with a key pair that follows from this seed, so that anybody can make it: it protects random bytes of
 * an exercise, nothing else is ever sealed to it, and a secret that is not there cannot be stolen. Who is let in is decided by the canary's token.
 */
export const CANARY_SEED = 'valiza: the key of the canary is no secret';

const publicKey = 'BMz2clsHTxKbzOFaeeQrnYlDBJm9JENAmXqa1Ecf36_GUQy3Z0oPaUtUkEFqEFqewVuQIIsEPiNtop2O_vMDrT4';

/** The public part of that pair, as the directory has those of people. Written down, so that only who opens packages has to derive it. */
export const CANARY_RECIPIENT_KEY = { publicKey, fingerprint: digestOfBytes(Buffer.from(publicKey, 'base64url')) };
