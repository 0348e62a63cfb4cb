import { fromEpoch, type Instant } from '../domain/instant.ts';

/** The function's own clock. What it says is backed by KMS's where it counts (security.md §5). */
export const now = (): Instant => fromEpoch(Date.now());
